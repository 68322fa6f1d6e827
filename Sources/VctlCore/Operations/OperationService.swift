// SPDX-License-Identifier: Apache-2.0
import GRDB
import Synchronization
import VctlAPI

/// Looking at operations, waiting for them, and ending them.
public struct OperationService: Sendable {
    let inventory: Inventory
    let engine: OperationEngine

    /// A page of operations, the newest first.
    /// - Throws: ``Problem`` when the cursor is none of ours.
    public func list(_ query: ListQuery) async throws -> Rendered {
        let below = try query.after.map { try Cursor.number($0) }
        let limit = query.limit ?? 1000
        let progress = engine.progress.withLock { $0 }
        return try await inventory.read { db in
            let rows = try OperationStore.page(db, status: query.state, below: below, limit: limit + 1)
            let texts = try rows.prefix(limit).map { row in
                let id: String = row["id"]
                let known = ObjectID(id).flatMap { progress[$0] }
                let steps = try OperationStore.steps(db, id)
                return try JSON.text(try OperationStore.value(row, steps: steps, progress: known))
            }
            let next = rows.count > limit ? "\(rows[limit - 1]["number"] as Int64)" : nil
            return Rendered(json: try FieldFilter.array(texts, query.fields, db), next: next)
        }
    }

    /// One operation.
    /// - Throws: ``Problem`` `operation.notFound`.
    public func show(_ id: Reference) async throws -> Rendered {
        let operation = try await get(id)
        let revision = try await inventory.read { try OperationStore.revision($0, operation.id) }
        return Rendered(json: try JSON.text(operation), etag: "\"\(revision)\"")
    }

    /// One operation, once it has ended, or as it is when `seconds` have passed.
    public func wait(_ id: Reference, seconds: Double) async throws -> Rendered {
        let operation = try await get(id)
        guard !operation.status.isFinal, operation.status != .stuck else { return try await show(id) }
        await Deadline.run(seconds: seconds) { try? await ended(operation.id) }
        return try await show(id)
    }

    private func ended(_ id: ObjectID) async throws {
        var last = try await inventory.lastEvent()
        while let now = try await inventory.read({ try OperationStore.fetch($0, id, progress: nil) }),
            !now.status.isFinal, now.status != .stuck
        {
            guard await inventory.bus.wait(after: last) else { return }
            last = try await inventory.lastEvent()
        }
    }

    /// Asks an operation to go back over what it did. Nothing is said when it has ended already.
    public func cancel(_ id: Reference) async throws -> Operation {
        let operation = try await get(id)
        guard !engine.isCommitted(operation.id) else {
            throw Problem(
                .operationState, "\(operation.kind) has begun what cannot be undone, and goes on to its end",
                hint: "vctl operation wait \(operation.id)")
        }
        let changed = try await inventory.write { transaction -> Bool in
            let status = try String.fetchOne(
                transaction.db, sql: "SELECT status FROM operation WHERE id = ?",
                arguments: [operation.id.rawValue])
            guard status == "pending" || status == "running" else { return false }
            try transaction.execute(
                "UPDATE operation SET cancel_requested = 1 WHERE id = ?", [operation.id.rawValue])
            try transaction.setStatus(operation.id, operation.kind, .cancelling)
            return true
        }
        if changed {
            engine.interrupt(operation.id)
            engine.launch(operation.id)
        }
        return try await get(id)
    }

    /// Runs the undo of a stuck operation again.
    public func retry(_ id: Reference) async throws -> Operation {
        let operation = try await stuck(id)
        try await inventory.write { try $0.setStatus(operation.id, operation.kind, .running) }
        engine.launch(operation.id)
        return try await get(id)
    }

    /// Gives up the undo of a stuck operation and frees what it held. What it left stays where it is.
    public func abandon(_ id: Reference) async throws -> Operation {
        let operation = try await stuck(id)
        try await inventory.write { transaction in
            try transaction.releaseClaims(of: operation.id)
            try transaction.setStatus(operation.id, operation.kind, .failed)
        }
        return try await get(id)
    }

    private func stuck(_ id: Reference) async throws -> Operation {
        let operation = try await get(id)
        guard operation.status == .stuck else {
            throw Problem(
                .operationState, "operation \(operation.id) is \(operation.status.rawValue), not stuck",
                hint: "vctl operation show \(operation.id)")
        }
        return operation
    }

    /// One operation as a value.
    public func get(_ id: Reference) async throws -> Operation {
        let progress = engine.progress.withLock { $0 }
        guard case .id(let id) = id,
            let found = try await inventory.read({ try OperationStore.fetch($0, id, progress: progress[id]) })
        else {
            throw Problem(
                .operationNotFound, "there is no operation \(shown(id.description))",
                hint: "vctl operation list")
        }
        return found
    }
}
