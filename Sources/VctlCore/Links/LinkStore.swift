// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// What is kept of a link, enough to make it again: in its row, and in `objects/`.
protocol LinkRecord: Codable, Hashable, Sendable {
    /// Also the name of its table, and of the noun.
    static var kind: ObjectKind { get }
    var id: ObjectID { get }
    var name: LinkName { get }
    var labels: [String: String] { get }
    /// Whether its last change waits for somebody's word.
    var isUndecided: Bool { get }
}

extension LinkRecord {
    var reference: ObjectReference { ObjectReference(kind: Self.kind, id: id, name: name.rawValue) }

    /// Everything about the link, and its name, which another kind of link could want as well.
    var claims: [Claim] { Claim.whole(id) + Claim.named(["link \(name)"]) }
}

/// A link as stored.
struct LinkRow<Record: LinkRecord>: Sendable {
    let record: Record
    let revision: Int64
    /// The operation that holds it.
    let operation: ObjectID?

    fileprivate static var columns: String {
        let table = Record.kind.rawValue
        return """
            document, revision, (SELECT operation FROM claim
                WHERE subject = \(table).id AND mode = 'exclusive' LIMIT 1) AS holder FROM \(table)
            """
    }

    fileprivate init(_ row: Row) throws {
        record = try JSON.value(Record.self, row["document"])
        revision = row["revision"]
        operation = (row["holder"] as String?).flatMap { ObjectID($0) }
    }

    var etag: String { "\"\(revision)\"" }
}

extension LinkRecord {
    /// All that are stored, by name.
    static func all(_ db: Database) throws -> [LinkRow<Self>] {
        try Row.fetchAll(
            db.cachedStatement(sql: "SELECT \(LinkRow<Self>.columns) ORDER BY \(kind.rawValue).name")
        ).map { try LinkRow($0) }
    }

    static func find(_ db: Database, _ reference: Reference) throws -> LinkRow<Self>? {
        let column = if case .id = reference { "id" } else { "name" }
        let sql = "SELECT \(LinkRow<Self>.columns) WHERE \(kind.rawValue).\(column) = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [reference.description])
            .map { try LinkRow($0) }
    }
}

extension Transaction {
    /// Adds a link. That its name is free is for the database to say.
    /// - Throws: ``Problem`` `link.exists`.
    func insert<Record: LinkRecord>(link record: Record, operation: ObjectID?) throws {
        do {
            try execute(
                "INSERT INTO \(Record.kind.rawValue)(id, name, revision, document) VALUES (?, ?, 1, ?)",
                [record.id.rawValue, record.name.rawValue, try JSON.text(record)])
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            let noun = Record.kind.rawValue
            throw Problem(
                .linkExists, "there is a \(noun) \(record.name) already",
                hint: "vctl \(noun) show \(record.name)")
        }
        try setLabels(Record.kind, record.id, record.labels)
        try emit("\(Record.kind.rawValue).created", record.reference, operation: operation)
    }

    /// Makes the stored link equal to `record`; its name stays.
    func update<Record: LinkRecord>(link record: Record, operation: ObjectID?) throws {
        guard let old = try Record.find(db, .id(record.id))?.record, old != record else { return }
        try execute(
            "UPDATE \(Record.kind.rawValue) SET document = ?, revision = revision + 1 WHERE id = ?",
            [try JSON.text(record), record.id.rawValue])
        if old.labels != record.labels { try setLabels(Record.kind, record.id, record.labels) }
        try emit("\(Record.kind.rawValue).changed", record.reference, operation: operation)
    }

    /// Removes a link's row, where there is one.
    func remove<Record: LinkRecord>(link record: Record, operation: ObjectID?) throws {
        guard try Record.find(db, .id(record.id)) != nil else { return }
        try execute("DELETE FROM \(Record.kind.rawValue) WHERE id = ?", [record.id.rawValue])
        try setLabels(Record.kind, record.id, [:])
        try execute("DELETE FROM warning WHERE subject = ?", [record.id.rawValue])
        try emit("\(Record.kind.rawValue).deleted", record.reference, operation: operation)
    }
}

/// Makes the rows of links again from `objects/`, when the database was lost.
enum LinkRecovery {
    /// - Returns: files that cannot be read, and are left where they are.
    static func restore(_ state: StateDirectory, _ transaction: Transaction) throws -> [String] {
        try restore(KeptBridge.self, state, transaction) + restore(KeptTAP.self, state, transaction)
    }

    private static func restore<Record: LinkRecord>(
        _ type: Record.Type, _ state: StateDirectory, _ transaction: Transaction
    ) throws -> [String] {
        let kept = state.kept(type.kind, type)
        for record in kept.values where try type.find(transaction.db, .id(record.id)) == nil {
            // Two links of one name were never there at once: the second one is what an undo forgot.
            guard try type.find(transaction.db, .name(record.name.rawValue)) == nil else { continue }
            try transaction.insert(link: record, operation: nil)
        }
        return kept.unreadable
    }
}
