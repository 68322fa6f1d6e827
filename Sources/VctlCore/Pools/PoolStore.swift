// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// A pool as stored.
struct PoolRow: Sendable {
    let id: ObjectID
    let name: String
    let revision: Int64
    let observedAt: Timestamp
    /// What makes it ours.
    let mark: KeptPool?
    /// The operation that holds it.
    let operation: ObjectID?
    private let document: String

    static let columns = """
        pool.id, pool.name, pool.revision, pool.observed_at, pool.document, pool.mark,
        (SELECT operation FROM claim WHERE subject = pool.id AND mode = 'exclusive' LIMIT 1) AS holder
        """

    init(_ row: Row) throws {
        id = ObjectID(row["id"] as String)!
        name = row["name"]
        revision = row["revision"]
        observedAt = Timestamp(milliseconds: row["observed_at"])
        document = row["document"]
        mark = try (row["mark"] as String?).map { try JSON.value(KeptPool.self, $0) }
        operation = (row["holder"] as String?).flatMap { ObjectID($0) }
    }

    /// The pool without those who use it.
    func value() throws -> Pool {
        var pool = try JSON.value(Pool.self, document)
        pool.observedAt = observedAt
        pool.operation = operation
        return pool
    }

    var etag: String { "\"\(revision)\"" }
    var reference: ObjectReference { ObjectReference(kind: .pool, id: id, name: name) }
}

/// Reading pools.
enum PoolStore {
    static func find(_ db: Database, _ reference: Reference) throws -> PoolRow? {
        let column = if case .id = reference { "id" } else { "name" }
        let sql = "SELECT \(PoolRow.columns) FROM pool WHERE \(column) = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [reference.description]).map {
            try PoolRow($0)
        }
    }

    /// - Throws: ``Problem`` `pool.notFound`, with the names that were perhaps meant.
    static func get(_ db: Database, _ reference: Reference) throws -> PoolRow {
        if let row = try find(db, reference) { return row }
        throw Problem(
            .poolNotFound, "there is no pool \(shown(reference.description))",
            hint: try Comparison.hint(db, "pool", reference))
    }

    static func all(_ db: Database) throws -> [PoolRow] {
        try Row.fetchAll(db, sql: "SELECT \(PoolRow.columns) FROM pool ORDER BY name").map {
            try PoolRow($0)
        }
    }

    /// One page by name.
    static func page(_ db: Database, _ query: ListQuery) throws -> (rows: [PoolRow], next: String?) {
        let limit = query.limit ?? Int.max - 1
        let label = LabelFilter.condition(.pool, query.labels)
        let sql = """
            SELECT \(PoolRow.columns) FROM pool
            WHERE (? IS NULL OR pool.name > ?) AND (? IS NULL OR pool.state = ?) AND \(label.sql)
            ORDER BY pool.name LIMIT ?
            """
        let arguments: StatementArguments =
            [query.after, query.after, query.state, query.state] + StatementArguments(label.arguments)
            + [limit + 1]
        let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
        let found = try rows.prefix(limit).map { try PoolRow($0) }
        return (found, rows.count > limit ? found.last?.name : nil)
    }
}

extension Transaction {
    /// Makes the row of a pool equal to what was seen of it; its mark stays.
    func observe(_ seen: Pool) throws {
        let mark = try PoolStore.find(db, .id(seen.id))?.mark
        var pool = seen
        pool.apply(mark)
        try store(pool, mark)
    }

    /// Makes a pool ours, or nobody's with `nil`.
    func mark(_ id: ObjectID, _ mark: KeptPool?, own folder: String) throws {
        guard let row = try PoolStore.find(db, .id(id)) else { return }
        var pool = try row.value()
        (pool.managed, pool.labels, pool.protected) = (pool.target == folder, [:], false)
        pool.createdAt = nil
        pool.apply(mark)
        try store(pool, mark)
    }

    /// Makes the stored pool equal to `pool`, with the event that tells of the difference.
    func store(_ pool: Pool, _ mark: KeptPool?) throws {
        let kept = try mark.map { try JSON.text($0) }
        let document = try JSON.text(PoolDocument.stored(pool))
        guard let old = try PoolStore.find(db, .id(pool.id)) else { return try insert(pool, document, kept) }
        let before = try old.value()
        guard PoolDocument.stored(before) != PoolDocument.stored(pool) || old.mark != mark else { return }
        try giveWay(to: pool)
        let same = PoolDocument.bare(before) == PoolDocument.bare(pool)
        try execute(
            """
            UPDATE pool SET name = ?, state = ?, managed = ?, document = ?, mark = ?, observed_at = ?,
                revision = revision + ? WHERE id = ?
            """,
            [
                pool.name, pool.state.rawValue, pool.managed, document, kept, pool.observedAt.milliseconds,
                same ? 0 : 1, pool.id.rawValue,
            ])
        if before.health != pool.health { try warn(of: pool) }
        guard !same else { return }
        if before.labels != pool.labels { try setLabels(.pool, pool.id, pool.labels) }
        try emit(
            PoolDocument.eventType(before, pool), pool.reference, operation: old.operation,
            origin: old.operation == nil ? .libvirt : .vctl, data: ["state": pool.state.rawValue])
    }

    private func insert(_ pool: Pool, _ document: String, _ mark: String?) throws {
        try giveWay(to: pool)
        try execute(
            """
            INSERT INTO pool(id, name, state, managed, revision, observed_at, document, mark)
            VALUES (?, ?, ?, ?, 1, ?, ?, ?)
            """,
            [
                pool.id.rawValue, pool.name, pool.state.rawValue, pool.managed,
                pool.observedAt.milliseconds, document, mark,
            ])
        try setLabels(.pool, pool.id, pool.labels)
        let holder = try PoolStore.find(db, .id(pool.id))?.operation
        try emit(
            "pool.created", pool.reference, operation: holder, origin: holder == nil ? .libvirt : .vctl,
            data: ["state": pool.state.rawValue])
        try warn(of: pool)
    }

    private func warn(of pool: Pool) throws {
        guard let problem = pool.problem, pool.health != .ok else {
            return try clearWarning("pool.health", subject: pool.id)
        }
        try warn(
            "pool.health", "pool \(shown(pool.name)): \(problem)", hint: "vctl pool show \(shown(pool.name))",
            subject: pool.reference)
    }

    /// A row that still has the name under another id is stale.
    private func giveWay(to pool: Pool) throws {
        try execute("UPDATE pool SET name = id WHERE name = ? AND id <> ?", [pool.name, pool.id.rawValue])
    }

    /// A pool that libvirt does not have: what is ours is shown as missing, what was foreign is forgotten.
    /// While an operation holds it, it is that one's business.
    func vanishedPool(_ id: ObjectID) throws {
        guard let row = try PoolStore.find(db, .id(id)), row.operation == nil else { return }
        var pool = try row.value()
        if row.mark == nil {
            guard try VolumeStore.hasMarks(db, in: id) else { return try removePool(id, origin: .libvirt) }
            // Somebody's pool with volumes of ours: what is left of it is ours, forgotten when asked for.
            pool.managed = true
        }
        (pool.state, pool.health, pool.autostart) = (.missing, .critical, false)
        pool.problem = "libvirt has no such pool any more"
        try store(pool, row.mark)
        try loseVolumes(of: id)
    }

    /// Removes a pool's row and those of its volumes. A reading of libvirt that is still on its way must not
    /// bring it back.
    func removePool(_ id: ObjectID, origin: EventOrigin) throws {
        readings.supersede(id)
        guard let row = try PoolStore.find(db, .id(id)) else { return }
        try removeVolumes(of: id)
        try execute("DELETE FROM pool WHERE id = ?", [id.rawValue])
        try setLabels(.pool, id, [:])
        try execute("DELETE FROM warning WHERE subject = ?", [id.rawValue])
        try emit("pool.deleted", row.reference, operation: row.operation, origin: origin)
    }
}

/// The stored form of a pool, and what two of them differ in.
enum PoolDocument {
    /// Without what stands elsewhere.
    static func stored(_ pool: Pool) -> Pool {
        var copy = pool
        copy.observedAt = Timestamp(milliseconds: 0)
        (copy.operation, copy.usedBy, copy.volumes) = (nil, [], 0)
        return copy
    }

    /// Without what changes while the pool does not.
    static func bare(_ pool: Pool) -> Pool {
        var copy = stored(pool)
        (copy.capacityBytes, copy.allocationBytes, copy.availableBytes) = (nil, nil, nil)
        copy.problem = nil
        return copy
    }

    static func eventType(_ before: Pool, _ after: Pool) -> String {
        guard before.state != after.state else { return "pool.changed" }
        return switch after.state {
        case .running: "pool.started"
        case .stopped: "pool.stopped"
        case .missing: "pool.missing"
        case .unknown: "pool.unknown"
        }
    }
}
