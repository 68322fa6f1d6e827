// SPDX-License-Identifier: Apache-2.0
import HostNet
import VctlAPI

/// A TAP as it was asked for.
struct KeptTAP: LinkRecord {
    static let kind = ObjectKind.tap

    /// The user who may open it.
    struct Owner: Codable, Hashable, Sendable {
        var uid: UInt32
        var name: String
    }

    var id: ObjectID
    var name: LinkName
    var owner: Owner?
    var bridge: LinkName?
    var queues: Int
    var labels: [String: String]
    var createdAt: Timestamp
    var isUndecided: Bool { false }

    /// - Throws: ``Problem`` `request.invalid` with all that is wrong.
    init(_ create: TAPCreate) throws {
        id = ObjectID()
        name = create.name
        bridge = create.bridge
        queues = create.queues ?? 1
        labels = create.labels ?? [:]
        createdAt = .now
        var problems = LabelRules.problems(labels)
        if !(1...256).contains(queues) {
            problems.append(FieldProblem("queues", "a TAP has 1 to 256 queues"))
        }
        if let user = create.owner {
            owner = Owner(user)
            if owner == nil {
                problems.append(FieldProblem("owner", "the host knows no user \(shown(user))"))
            }
        }
        try VMRules.refuse(problems)
    }
}

extension KeptTAP.Owner {
    /// By name or number; `nil`: the host knows no such user.
    fileprivate init?(_ text: String) {
        guard let account = Account(name: text) ?? UInt32(text).flatMap({ Account(uid: $0) }) else {
            return nil
        }
        self.init(uid: account.uid, name: account.name)
    }
}

/// Makes and removes TAPs.
struct TAPMaker: Sendable {
    let links: MarkedLinks

    init(_ environment: VMEnvironment) {
        links = MarkedLinks(host: environment.hostLinks, instance: environment.state.instance)
    }

    /// Makes of the TAP what is missing.
    /// - Throws: ``Problem`` `link.exists`, `bridge.notFound`; ``HostNetError``.
    func ensure(_ tap: KeptTAP) async throws {
        let link = try await links.ensure(tap.id, tap.name) { name in
            try await links.host.make(TAPSpec(name: name, queues: tap.queues, owner: tap.owner?.uid))
        }
        var change = LinkChange()
        change.isUp = true
        try await links.host.change(link.index, change)
        guard let name = tap.bridge else { return }
        let bridge = try LinkRules.bridge(name, among: try await links.host.all())
        // Who has put it elsewhere since knows why.
        guard link.master == nil else { return }
        change = LinkChange()
        change.master = bridge.index
        try await links.host.change(link.index, change)
    }

    /// Who would lose it.
    /// - Throws: ``Problem`` `tap.inUse`.
    func refuseUsed(_ tap: KeptTAP) async throws {
        guard let link = try await links.find(tap.id), link.hasCarrier else { return }
        let openers = try await links.host.openers(ofTAP: link.name)
        let who = openers.map { "process \($0.pid) (\(shown($0.name)))" }.joined(separator: ", ")
        throw Problem(
            .tapInUse, "TAP \(tap.name) is open in \(who.isEmpty ? "a process" : who)",
            hint: "vctl tap delete \(tap.name) --force")
    }
}
