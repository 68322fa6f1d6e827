// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// An operation and its journal, as stored.
struct OperationRecord: Sendable {
    let id: ObjectID
    let kind: String
    let version: Int
    let status: OperationStatus
    let request: String
    let resources: [ObjectReference]
    let cancelRequested: Bool
    let failure: Problem?
    let steps: [StepRecord]

    static func load(_ db: Database, _ id: ObjectID) throws -> OperationRecord? {
        let sql = "SELECT * FROM operation WHERE id = ?"
        guard let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [id.rawValue]) else {
            return nil
        }
        return OperationRecord(
            id: id, kind: row["kind"], version: row["version"],
            status: OperationStatus(rawValue: row["status"]) ?? .stuck, request: row["request"],
            resources: try JSON.value([ObjectReference].self, row["resources"]),
            cancelRequested: row["cancel_requested"],
            failure: try (row["failure"] as String?).map { try JSON.value(Problem.self, $0) },
            steps: try StepRecord.all(db, id))
    }

    /// Those that a restarted daemon goes on with, the oldest first.
    static func unfinished(_ db: Database) throws -> [ObjectID] {
        try String.fetchAll(
            db,
            sql: """
                SELECT id FROM operation WHERE status IN ('pending', 'running', 'cancelling')
                ORDER BY number
                """
        ).compactMap { ObjectID($0) }
    }
}

/// One journaled step.
struct StepRecord: Sendable {
    let key: String
    let status: StepStatus
    let output: String?

    static func all(_ db: Database, _ operation: ObjectID) throws -> [StepRecord] {
        let sql = "SELECT key, status, output FROM step WHERE operation = ? ORDER BY position"
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [operation.rawValue]).map { row in
            StepRecord(
                key: row["key"], status: StepStatus(rawValue: row["status"]) ?? .started,
                output: row["output"])
        }
    }
}

extension Transaction {
    func insert(_ new: NewOperation) throws {
        try execute(
            """
            INSERT INTO operation(
                id, kind, version, status, parent, request, requestor, resources, created_at)
            VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?)
            """,
            [
                new.id.rawValue, new.kind, new.version, new.parent?.rawValue, new.request,
                try JSON.text(new.requestor), try JSON.text(new.resources), Timestamp.now.milliseconds,
            ])
        try take(new.claims, for: new.id, parent: new.parent)
        try emit("operation.created", reference(of: new.id, new.kind), operation: new.id)
    }

    func setStatus(_ id: ObjectID, _ kind: String, _ status: OperationStatus) throws {
        let time = Timestamp.now.milliseconds
        try execute(
            """
            UPDATE operation SET status = ?, revision = revision + 1, started_at = coalesce(started_at, ?),
                finished_at = CASE WHEN ? THEN ? END WHERE id = ?
            """, [status.rawValue, time, status.isFinal, time, id.rawValue])
        try emit("operation.\(status.rawValue)", reference(of: id, kind), operation: id)
    }

    func setFailure(_ id: ObjectID, _ problem: Problem) throws {
        try execute(
            "UPDATE operation SET failure = ?, revision = revision + 1 WHERE id = ?",
            [try JSON.text(problem), id.rawValue])
    }

    func failure(of id: ObjectID) throws -> String? {
        try String.fetchOne(db, sql: "SELECT failure FROM operation WHERE id = ?", arguments: [id.rawValue])
    }

    func setResult(_ id: ObjectID, _ result: ObjectReference?) throws {
        try execute(
            "UPDATE operation SET result = ? WHERE id = ?",
            [try result.map { try JSON.text($0) }, id.rawValue])
    }

    func setWarnings(_ id: ObjectID, _ warnings: [String]) throws {
        try execute("UPDATE operation SET warnings = ? WHERE id = ?", [try JSON.text(warnings), id.rawValue])
    }

    func startStep(_ operation: ObjectID, _ key: String, position: Int) throws {
        try execute(
            "INSERT OR IGNORE INTO step(operation, position, key, status) VALUES (?, ?, ?, 'started')",
            [operation.rawValue, position, key])
    }

    func finishStep(_ operation: ObjectID, _ key: String, _ status: StepStatus, output: String?) throws {
        try execute(
            "UPDATE step SET status = ?, output = coalesce(?, output) WHERE operation = ? AND key = ?",
            [status.rawValue, output, operation.rawValue, key])
    }

    private func reference(of id: ObjectID, _ kind: String) -> ObjectReference {
        ObjectReference(kind: .operation, id: id, name: kind)
    }
}
