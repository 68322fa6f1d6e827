// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Synchronization
import VctlAPI

/// Importing, looking at, changing and deleting images.
public struct ImageService: Sendable {
    let inventory: Inventory
    let engine: OperationEngine
    let state: StateDirectory
    let limits: ImageLimits
    let readers: FileReaders
    let uploads = ActiveUploads()

    init(
        inventory: Inventory, engine: OperationEngine, state: StateDirectory, readers: FileReaders,
        limits: ImageLimits = ImageLimits()
    ) {
        self.inventory = inventory
        self.engine = engine
        self.state = state
        self.limits = limits
        self.readers = readers
    }

    /// A page of images, by name.
    public func list(_ query: ListQuery) async throws -> Rendered {
        try await inventory.read { db in
            let page = try ImageStore.page(db, query)
            let texts = try page.rows.map { try JSON.text($0.value) }
            return Rendered(json: try FieldFilter.array(texts, query.fields, db), next: page.next)
        }
    }

    /// One image.
    /// - Throws: ``Problem`` `image.notFound`.
    public func show(_ reference: Reference) async throws -> Rendered {
        let row = try await inventory.read { try ImageStore.get($0, reference) }
        return Rendered(json: try JSON.text(row.value), etag: row.etag)
    }

    /// One image as a value.
    /// - Throws: ``Problem`` `image.notFound`.
    public func get(_ reference: Reference) async throws -> Image {
        try await inventory.read { try ImageStore.get($0, reference).value }
    }

    /// Starts a download, or announces an upload.
    /// - Throws: ``Problem`` `request.invalid`, `image.exists`, `storage.full`, `idempotency.mismatch`.
    public func create(_ request: ImageCreate, _ context: RequestContext) async throws -> Accepted {
        try ImageRules.refuse(ImageRules.problems(request, limits))
        if let size = request.sizeBytes?.bytes {
            try FreeSpace.require(size, at: state.incoming(ObjectID()), for: "the content")
        }
        if context.dryRun { return .preview(try await preview(request, context)) }
        guard let text = request.url else { return try await announce(request, context) }
        return try await download(request, try ImageURL(text), context)
    }

    private func preview(_ request: ImageCreate, _ context: RequestContext) async throws -> Preview {
        let taken = try await inventory.read { try ImageStore.find($0, .name(request.name.rawValue)) }
        guard taken == nil else {
            throw Problem(
                .imageExists, "there is an image \(request.name) already",
                hint: "vctl image show \(request.name)")
        }
        let first = try request.url.map { "download \(try ImageURL($0).shown)" } ?? "wait for the content"
        let second =
            "check its \(request.checksum == nil ? "format" : "checksum and format") and its consistency"
        let third =
            "store it as image \(request.name)\(request.format.map { " in format \($0.rawValue)" } ?? "")"
        return Preview(
            action: context.action, target: request.name.rawValue, changes: [first, second, third])
    }

    private func announce(_ request: ImageCreate, _ context: RequestContext) async throws -> Accepted {
        let image = Image(request, id: ObjectID(), state: .uploading)
        let announced = AnnouncedUpload(
            sizeBytes: request.sizeBytes?.bytes, checksum: request.checksum,
            sourceFormat: request.sourceFormat,
            format: request.format)
        return try await inventory.write { [state] transaction in
            if let earlier = try transaction.earlier(
                context.idempotency, uid: context.caller.uid, state.hasher)
            {
                return try transaction.accepted(earlier)
            }
            try transaction.insert(image, announced: announced)
            try transaction.remember(
                context.idempotency, uid: context.caller.uid, state.hasher, object: image.id)
            try transaction.audit(context, target: image.name.rawValue)
            return .announced(image)
        }
    }

    private func download(
        _ request: ImageCreate, _ url: ImageURL, _ context: RequestContext
    ) async throws -> Accepted {
        let image = Image(request, id: ObjectID(), state: .importing, source: url.shown)
        let work = ImageImport.Request(
            image: image, origin: .url, checksum: request.checksum, sourceFormat: request.sourceFormat,
            format: request.format)
        let secret = state.imageURL(image.id)
        try DurableFile.write(Array(url.configuration.utf8), to: secret)
        do {
            let accepted = try await accept(work, context) { try $0.insert(image, operation: $1) }
            // The same key gave an earlier operation: this one's file has no use.
            if accepted.image != image.id { try DurableFile.remove(secret) }
            return accepted.reply
        } catch {
            try? DurableFile.remove(secret)
            throw error
        }
    }

    /// Stores an import with its claims, in one transaction with `change`, and runs it.
    func accept(
        _ work: ImageImport.Request, _ context: RequestContext,
        _ change: @Sendable @escaping (Transaction, ObjectID) throws -> Void
    ) async throws -> (reply: Accepted, image: ObjectID?) {
        let image = work.image
        let new = try NewOperation(
            ImageImport.self, work, resources: [image.reference], claims: Claim.whole(image.id),
            requestor: context.caller.requestor)
        return try await run(new, image.name, context) { transaction in try change(transaction, new.id) }
    }

    /// One way in for both kinds: what an earlier request made, or the new operation.
    func run(
        _ new: NewOperation, _ name: Name, _ context: RequestContext,
        _ change: @Sendable @escaping (Transaction) throws -> Void
    ) async throws -> (reply: Accepted, image: ObjectID?) {
        let state = state
        let (reply, fresh) = try await inventory.write { transaction -> (Accepted, Bool) in
            if let earlier = try transaction.earlier(
                context.idempotency, uid: context.caller.uid, state.hasher)
            {
                return (try transaction.accepted(earlier), false)
            }
            try change(transaction)
            do {
                try transaction.insert(new)
            } catch let conflict as ClaimConflict {
                throw ImageRules.busy(name, conflict.holder)
            }
            try transaction.remember(
                context.idempotency, uid: context.caller.uid, state.hasher, operation: new.id)
            try transaction.audit(context, target: name.rawValue, operation: new.id)
            return (try transaction.accepted(.operation(new.id)), true)
        }
        if fresh { engine.launch(new.id) }
        return (reply, fresh ? new.resources.first?.id : nil)
    }

    /// Deletes an image. Its file goes only where we made it.
    /// - Throws: ``Problem`` `image.notFound`, `image.inUse`, `image.protected`, `image.busy`,
    ///   `revision.stale`, `libvirt.unavailable`.
    public func delete(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if !context.dryRun, let earlier = try await earlier(context) { return earlier }
        let row = try await inventory.read { try ImageStore.get($0, reference) }
        try Self.checkDeletable(row, context)
        let work = ImageDelete.Request(image: row.document, path: row.path)
        try await ImageDelete(state: state, readers: readers).refuseRead(work)
        if context.dryRun { return .preview(try previewDelete(row, context)) }
        let new = try NewOperation(
            ImageDelete.self, work, resources: [row.reference], claims: Claim.whole(row.id),
            requestor: context.caller.requestor)
        return try await run(new, row.name, context) { transaction in
            // Read again where nobody can come between.
            let now = try ImageStore.get(transaction.db, .id(row.id))
            try Self.checkDeletable(now, context)
            guard now.revision == row.revision else { throw ImageRules.changedMeanwhile(now) }
        }.reply
    }

    private func earlier(_ context: RequestContext) async throws -> Accepted? {
        guard context.idempotency != nil else { return nil }
        let state = state
        return try await inventory.write { transaction in
            try transaction.earlier(context.idempotency, uid: context.caller.uid, state.hasher)
                .map { try transaction.accepted($0) }
        }
    }

    private func previewDelete(_ row: ImageRow, _ context: RequestContext) throws -> Preview {
        try ImageRules.checkIdle(row)
        let change =
            row.path.map { "delete image \(row.name) and its file \($0)" } ?? "delete image \(row.name)"
        return Preview(action: context.action, target: row.name.rawValue, changes: [change])
    }

    private static func checkDeletable(_ row: ImageRow, _ context: RequestContext) throws {
        try ImageRules.check(context.ifMatch, row)
        if !row.users.isEmpty {
            throw Problem(
                .imageInUse,
                "image \(row.name) is read by the disks of: \(row.users.joined(separator: ", "))",
                hint: "vctl vm delete \(row.users.joined(separator: " "))")
        }
        if row.document.protected, !context.force {
            throw Problem(
                .imageProtected, "image \(row.name) is protected",
                hint: "vctl image delete \(row.name) --force")
        }
    }
}

extension ImageRules {
    static func changedMeanwhile(_ row: ImageRow) -> Problem {
        Problem(
            .revisionStale, "image \(row.name) was changed at the same moment",
            hint: "vctl image show \(row.name)")
    }
}

extension Image {
    /// A new image as asked for.
    init(_ request: ImageCreate, id: ObjectID, state: ImageState, source: String? = nil) {
        self.init(id: id, name: request.name, state: state, createdAt: .now)
        self.source = source
        receivedBytes = state == .uploading ? 0 : nil
        description = request.description
        labels = request.labels ?? [:]
        protected = request.protected ?? false
    }
}

extension Transaction {
    /// The reply to a request that was made before.
    func accepted(_ earlier: EarlierRequest) throws -> Accepted {
        switch earlier {
        case .operation(let id):
            guard let operation = try OperationStore.fetch(db, id, progress: nil) else {
                throw Problem(
                    .operationNotFound, "operation \(id) is no longer kept", hint: "vctl operation list")
            }
            return .operation(operation)
        case .object(let id):
            return .announced(try ImageStore.get(db, .id(id)).value)
        }
    }
}
