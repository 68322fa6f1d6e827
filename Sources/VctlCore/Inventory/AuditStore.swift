// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

extension Transaction {
    /// One line of the audit, in the same commit as the change.
    func audit(
        _ context: RequestContext, target: String?, outcome: AuditOutcome = .accepted, code: String? = nil,
        operation: ObjectID? = nil
    ) throws {
        try execute(
            """
            INSERT INTO audit(time, requestor, action, target, outcome, code, operation)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            [
                Timestamp.now.milliseconds, try JSON.text(context.caller.requestor), context.action, target,
                outcome.rawValue, code, operation?.rawValue,
            ])
    }
}

/// Who asked for what.
public struct AuditService: Sendable {
    let inventory: Inventory

    /// A page of the audit, the newest first.
    public func list(_ query: ListQuery) async throws -> Rendered {
        let below = try query.after.map { try Cursor.number($0) } ?? Int64.max
        let limit = query.limit ?? 1000
        return try await inventory.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM audit WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
                arguments: [below, limit + 1])
            let texts = try rows.prefix(limit).map { try JSON.text(try value($0)) }
            let next = rows.count > limit ? "\(rows[limit - 1]["sequence"] as Int64)" : nil
            return Rendered(json: try FieldFilter.array(texts, query.fields, db), next: next)
        }
    }

    /// Notes a request that was refused.
    public func refused(_ context: RequestContext, target: String?, code: String) async throws {
        try await inventory.write { try $0.audit(context, target: target, outcome: .refused, code: code) }
    }

    private func value(_ row: Row) throws -> AuditEntry {
        AuditEntry(
            sequence: row["sequence"], time: Timestamp(milliseconds: row["time"]),
            requestor: try JSON.value(Operation.Requestor.self, row["requestor"]), action: row["action"],
            target: row["target"], outcome: AuditOutcome(rawValue: row["outcome"]) ?? .accepted,
            code: row["code"], operation: (row["operation"] as String?).flatMap { ObjectID($0) })
    }
}
