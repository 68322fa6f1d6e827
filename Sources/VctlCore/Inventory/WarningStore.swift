// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

extension Transaction {
    /// Stores a warning, or counts it when the same one is there already.
    func warn(_ code: String, _ message: String, hint: String? = nil, subject: ObjectReference? = nil) throws
    {
        let now = Timestamp.now.milliseconds
        try execute(
            """
            INSERT INTO warning(
                id, code, subject, message, hint, subject_document, count, first_seen, last_seen)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7)
            ON CONFLICT(code, subject) DO UPDATE SET
                message = ?4, hint = ?5, count = count + 1, last_seen = ?7, acknowledged = 0
            """,
            [
                ObjectID().rawValue, code, subject?.id.rawValue ?? "", message, hint,
                try subject.map { try JSON.text($0) }, now,
            ])
        try emit("warning.raised", subject, data: ["code": code, "message": message])
    }

    /// Forgets a warning whose cause is gone.
    func clearWarning(_ code: String, subject: ObjectID? = nil) throws {
        try execute("DELETE FROM warning WHERE code = ? AND subject = ?", [code, subject?.rawValue ?? ""])
    }
}

/// What needs a person's eye.
public struct WarningService: Sendable {
    let inventory: Inventory

    /// All warnings, those not yet acknowledged first.
    public func list(_ query: ListQuery) async throws -> Rendered {
        try await inventory.read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM warning ORDER BY acknowledged, last_seen DESC LIMIT ?",
                arguments: [query.limit ?? 10_000])
            let texts = try rows.map { try JSON.text(try value($0)) }
            return Rendered(json: try FieldFilter.array(texts, query.fields, db))
        }
    }

    /// Marks a warning as seen.
    public func acknowledge(_ id: Reference) async throws -> Warning {
        let found = try await get(id)
        return try await inventory.write { transaction in
            try transaction.execute("UPDATE warning SET acknowledged = 1 WHERE id = ?", [found.id.rawValue])
            var warning = found
            warning.acknowledged = true
            return warning
        }
    }

    /// Forgets a warning.
    public func delete(_ id: Reference) async throws {
        let found = try await get(id)
        try await inventory.write { try $0.execute("DELETE FROM warning WHERE id = ?", [found.id.rawValue]) }
    }

    private func get(_ id: Reference) async throws -> Warning {
        let found = try await inventory.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM warning WHERE id = ?", arguments: [id.description]).map(
                value)
        }
        guard let found else {
            throw Problem(
                .warningNotFound, "there is no warning \(shown(id.description))", hint: "vctl warning list")
        }
        return found
    }

    private func value(_ row: Row) throws -> Warning {
        Warning(
            id: ObjectID(row["id"] as String) ?? ObjectID(), code: row["code"], message: row["message"],
            hint: row["hint"],
            subject: try (row["subject_document"] as String?).map {
                try JSON.value(ObjectReference.self, $0)
            },
            count: row["count"], firstSeenAt: Timestamp(milliseconds: row["first_seen"]),
            lastSeenAt: Timestamp(milliseconds: row["last_seen"]), acknowledged: row["acknowledged"])
    }
}
