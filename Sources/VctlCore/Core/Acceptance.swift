// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// The one door through which requests become operations: idempotency, claims, rows, event and audit in one
/// commit.
struct Acceptance: Sendable {
    let inventory: Inventory
    let engine: OperationEngine
    let hasher: IdempotencyHasher

    /// What the same request under the same key made before.
    func earlier(_ context: RequestContext) async throws -> Accepted? {
        guard context.idempotency != nil else { return nil }
        let uid = context.caller.uid
        let earlier = try await inventory.write { [hasher] transaction -> EarlierRequest? in
            try transaction.earlier(context.idempotency, uid: uid, hasher)
        }
        guard let earlier else { return nil }
        return try await reply(earlier)
    }

    private func reply(_ earlier: EarlierRequest) async throws -> Accepted? {
        try await inventory.read { db in
            switch earlier {
            case .operation(let id): try OperationStore.fetch(db, id, progress: nil).map { .operation($0) }
            case .object(let id):
                try String.fetchOne(
                    db, sql: "SELECT document FROM image WHERE id = ?", arguments: [id.rawValue]
                )
                .map { .announced(try JSON.value(Image.self, $0)) }
            }
        }
    }

    /// Stores the operation with everything that belongs to its acceptance, and starts it.
    /// - Throws: ``Problem`` `vm.busy` naming the operation that holds what is needed.
    func accept(
        _ new: NewOperation, _ context: RequestContext, target: String,
        reserve: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Accepted {
        let uid = context.caller.uid
        let outcome = try await inventory.write { [hasher] transaction -> EarlierRequest in
            if let earlier = try transaction.earlier(context.idempotency, uid: uid, hasher) { return earlier }
            do {
                try transaction.insert(new)
            } catch let conflict as ClaimConflict {
                throw Problem(conflict: conflict, about: new.resources.first?.kind)
            }
            try reserve(transaction)
            try transaction.remember(context.idempotency, uid: uid, hasher, operation: new.id)
            try transaction.audit(context, target: target, operation: new.id)
            return .operation(new.id)
        }
        if case .operation(let id) = outcome { engine.launch(id) }
        guard let reply = try await reply(outcome) else {
            throw Problem(.operationNotFound, "the operation of this Idempotency-Key is no longer kept")
        }
        return reply
    }
}
