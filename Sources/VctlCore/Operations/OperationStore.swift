// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Operations as the API shows them.
enum OperationStore {
    static func value(_ row: Row, steps: [Operation.Step], progress: Operation.Progress?) throws -> Operation
    {
        var operation = Operation(
            id: ObjectID(row["id"] as String)!, kind: row["kind"],
            status: OperationStatus(rawValue: row["status"]) ?? .stuck,
            parent: (row["parent"] as String?).flatMap { ObjectID($0) },
            createdAt: Timestamp(milliseconds: row["created_at"]),
            requestor: try JSON.value(Operation.Requestor.self, row["requestor"]),
            resources: try JSON.value([ObjectReference].self, row["resources"]))
        operation.startedAt = (row["started_at"] as Int64?).map(Timestamp.init(milliseconds:))
        operation.finishedAt = (row["finished_at"] as Int64?).map(Timestamp.init(milliseconds:))
        operation.steps = steps
        operation.progress = progress
        operation.cancellable = operation.status == .pending || operation.status == .running
        operation.result = try (row["result"] as String?).map { try JSON.value(ObjectReference.self, $0) }
        operation.warnings = try JSON.value([String].self, row["warnings"])
        operation.error = try (row["failure"] as String?).map { try JSON.value(Problem.self, $0) }
        return operation
    }

    static func steps(_ db: Database, _ id: String) throws -> [Operation.Step] {
        let sql = "SELECT key, status FROM step WHERE operation = ? ORDER BY position"
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [id]).map {
            Operation.Step(key: $0["key"], status: StepStatus(rawValue: $0["status"]) ?? .started)
        }
    }

    static func fetch(_ db: Database, _ id: ObjectID, progress: Operation.Progress?) throws -> Operation? {
        let sql = "SELECT * FROM operation WHERE id = ?"
        guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [id.rawValue]) else {
            return nil
        }
        return try value(row, steps: try steps(db, id.rawValue), progress: progress)
    }

    static func revision(_ db: Database, _ id: ObjectID) throws -> Int64 {
        let sql = "SELECT revision FROM operation WHERE id = ?"
        return try Int64.fetchOne(db, sql: sql, arguments: [id.rawValue]) ?? 0
    }

    /// The newest first, below `number`.
    static func page(_ db: Database, status: String?, below number: Int64?, limit: Int) throws -> [Row] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM operation WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR number < ?2)
                ORDER BY number DESC LIMIT ?3
                """, arguments: [status, number, limit])
    }
}
