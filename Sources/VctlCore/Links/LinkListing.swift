// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A link as the API shows it.
protocol ShownLink: Codable, Sendable {
    static var kind: ObjectKind { get }
    /// How messages call one.
    static var word: String { get }
    static var notFound: ErrorCode { get }
    var id: ObjectID? { get }
    var name: String { get }
    var managed: Bool { get }
    var labels: [String: String] { get }
}

extension TAP: ShownLink {
    static var kind: ObjectKind { .tap }
    static var word: String { "TAP" }
    static var notFound: ErrorCode { .tapNotFound }
}

extension Bridge: ShownLink {
    static var kind: ObjectKind { .bridge }
    static var word: String { "bridge" }
    static var notFound: ErrorCode { .bridgeNotFound }
}

/// Lists of links: the kernel's and the inventory's together, so that neither's paging would do.
extension ShownLink {
    /// A page of them, by name.
    static func page(_ all: [Self], _ query: ListQuery, _ inventory: Inventory) async throws -> Rendered {
        let links = all.sorted { $0.name < $1.name }.filter { link in
            query.labels.allSatisfy { link.labels[$0.key] == $0.value } && link.name > query.after ?? ""
        }
        let page = try links.prefix(query.limit ?? .max).map { try JSON.text($0) }
        let next = page.count < links.count ? links[page.count - 1].name : nil
        return try await inventory.read { db in
            Rendered(json: try FieldFilter.array(page, query.fields, db), next: next)
        }
    }

    /// One of them.
    /// - Throws: ``Problem`` where there is none.
    static func find(_ reference: Reference, among all: [Self]) throws -> Self {
        let found = all.filter { link in
            switch reference {
            case .id(let id): link.id == id
            case .name(let name): link.name == name
            }
        }
        // A name that was taken from us is still ours to speak of.
        if let link = found.first(where: \.managed) ?? found.first { return link }
        let similar = Similar.words(to: reference.description, among: all.map(\.name))
        let (list, meant) = (
            "vctl \(kind.rawValue) list", similar.map { shown($0) }.joined(separator: " or ")
        )
        throw Problem(
            notFound, "there is no \(word) \(shown(reference.description))",
            hint: meant.isEmpty ? list : "did you mean \(meant)? All: \(list)")
    }
}
