// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

extension ImageService {
    /// Changes what the patch holds. A new name is what later requests find the image by; those that use it
    /// keep it. What a dry run would do is for ``preview(_:_:_:)`` to say.
    /// - Throws: ``Problem`` `image.notFound`, `image.exists`, `image.busy`, `revision.stale`,
    ///   `request.invalid`.
    public func set(
        _ reference: Reference, _ patch: ImagePatch, _ context: RequestContext
    ) async throws -> Image {
        try ImageRules.refuse(ImageRules.problems(patch))
        return try await inventory.write { [state] transaction in
            let row = try ImageStore.get(transaction.db, reference)
            let image = try patched(row, patch, context)
            try transaction.update(image)
            try transaction.audit(context, target: row.name.rawValue)
            // Inside the transaction: two changes at once write the file in the order of their commits.
            if image.state == .ready, let path = row.path { try state.keep(image, path: path) }
            return try ImageStore.get(transaction.db, .id(row.id)).value
        }
    }

    /// What ``set(_:_:_:)`` would do, after all of its checks.
    public func preview(
        _ reference: Reference, _ patch: ImagePatch, _ context: RequestContext
    ) async throws -> Preview {
        try ImageRules.refuse(ImageRules.problems(patch))
        return try await inventory.read { db in
            let row = try ImageStore.get(db, reference)
            let image = try patched(row, patch, context)
            if image.name != row.name { try Self.checkFree(image.name, db) }
            let changes = ImageDocument.differences(row.document, image).sorted { $0.key < $1.key }
            return Preview(
                action: context.action, target: row.name.rawValue,
                changes: changes.map { "set \($0.key) to \(shown($0.value, limit: 200))" })
        }
    }

    private func patched(_ row: ImageRow, _ patch: ImagePatch, _ context: RequestContext) throws -> Image {
        try ImageRules.check(context.ifMatch, row)
        try ImageRules.checkIdle(row)
        var image = row.value
        for (key, value) in patch.labels ?? [:] { image.labels[key] = value }
        try ImageRules.refuse(LabelRules.problems(count: image.labels.count))
        if let name = patch.name { image.name = name }
        if let description = patch.description?.text {
            image.description = description.isEmpty ? nil : description
        }
        if let protected = patch.protected { image.protected = protected }
        return image
    }

    private static func checkFree(_ name: Name, _ db: Database) throws {
        guard try ImageStore.find(db, .name(name.rawValue)) == nil else {
            throw Problem(.imageExists, "there is an image \(name) already", hint: "vctl image show \(name)")
        }
    }
}
