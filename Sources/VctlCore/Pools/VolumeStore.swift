// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// A volume as stored.
struct VolumeRow: Sendable {
    let id: ObjectID
    let pool: ObjectID
    let name: String
    let revision: Int64
    let mark: KeptVolume?
    /// The operation that holds it.
    let operation: ObjectID?
    private let document: String

    static let columns = """
        volume.id, volume.pool, volume.name, volume.revision, volume.document, volume.mark,
        (SELECT operation FROM claim WHERE subject = volume.id AND mode = 'exclusive' LIMIT 1) AS holder
        """

    init(_ row: Row) throws {
        id = ObjectID(row["id"] as String)!
        pool = ObjectID(row["pool"] as String)!
        name = row["name"]
        revision = row["revision"]
        document = row["document"]
        mark = try (row["mark"] as String?).map { try JSON.value(KeptVolume.self, $0) }
        operation = (row["holder"] as String?).flatMap { ObjectID($0) }
    }

    /// The volume without those who use it.
    func value() throws -> Volume {
        var volume = try JSON.value(Volume.self, document)
        volume.operation = operation
        return volume
    }

    var etag: String { "\"\(revision)\"" }
}

/// A volume that reads from another file.
struct VolumeLink: Hashable, Sendable {
    let pool: String
    /// `POOL/NAME`.
    let volume: String
    let path: String
    let backing: String
}

/// Reading volumes.
enum VolumeStore {
    static func find(_ db: Database, _ pool: ObjectID, _ name: String) throws -> VolumeRow? {
        let sql = "SELECT \(VolumeRow.columns) FROM volume WHERE pool = ? AND name = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [pool.rawValue, name]).map {
            try VolumeRow($0)
        }
    }

    /// By name, or by id.
    /// - Throws: ``Problem`` `volume.notFound`, with the names that were perhaps meant.
    static func get(_ db: Database, _ pool: PoolRow, _ name: String) throws -> VolumeRow {
        if let row = try find(db, pool.id, name) { return row }
        let all = try all(db, of: pool.id)
        if let id = ObjectID(name), let row = all.first(where: { $0.id == id }) { return row }
        let similar = Similar.words(to: name, among: all.map(\.name)).map { shown("\(pool.name)/\($0)") }
        let list = "vctl volume list \(shown(pool.name))"
        throw Problem(
            .volumeNotFound, "there is no volume \(shown(name)) in pool \(shown(pool.name))",
            hint: similar.isEmpty ? list : "did you mean \(similar.joined(separator: " or "))? All: \(list)")
    }

    static func byName(_ rows: [VolumeRow]) -> [ExactName: VolumeRow] {
        Dictionary(rows.map { (ExactName($0.name), $0) }) { $1 }
    }

    static func all(_ db: Database, of pool: ObjectID) throws -> [VolumeRow] {
        let sql = "SELECT \(VolumeRow.columns) FROM volume WHERE pool = ? ORDER BY name"
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: [pool.rawValue]).map {
            try VolumeRow($0)
        }
    }

    /// One page of JSON texts by pool and name; they are not decoded, for there may be thousands.
    static func page(_ db: Database, of pool: ObjectID?, _ query: ListQuery) throws -> (
        texts: [String], next: String?
    ) {
        let limit = query.limit ?? Int.max - 1
        let label = LabelFilter.condition(.volume, query.labels)
        let sql = """
            SELECT volume.path, volume.document, pool.name || '/' || volume.name AS full,
                (SELECT operation FROM claim
                    WHERE subject = volume.id AND mode = 'exclusive' LIMIT 1) AS holder
            FROM volume JOIN pool ON pool.id = volume.pool
            WHERE (? IS NULL OR volume.pool = ?) AND (? IS NULL OR full > ?) AND \(label.sql)
            ORDER BY full LIMIT ?
            """
        let arguments: StatementArguments =
            [pool?.rawValue, pool?.rawValue, query.after, query.after] + StatementArguments(label.arguments)
            + [limit + 1]
        let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
        let users = try VolumeUsers.byPath(db)
        let texts = try rows.prefix(limit).map { row in
            try VolumeDocument.text(row["document"], users[ExactName(row["path"])] ?? [], row["holder"])
        }
        return (texts, rows.count > limit ? rows[limit - 1]["full"] : nil)
    }

    /// The ids of the marks of those that vctl made.
    static func marks(_ db: Database) throws -> Set<ObjectID> {
        let texts = try String.fetchAll(db, sql: "SELECT mark FROM volume WHERE mark IS NOT NULL")
        return try Set(texts.map { try JSON.value(KeptVolume.self, $0).id })
    }

    /// Whether a pool has no volumes.
    static func isEmpty(_ db: Database, _ pool: ObjectID) throws -> Bool {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM volume WHERE pool = ?)"
        return try Bool.fetchOne(db, sql: sql, arguments: [pool.rawValue]) ?? true
    }

    /// Whether vctl has made a volume in a pool.
    static func hasMarks(_ db: Database, in pool: ObjectID) throws -> Bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM volume WHERE pool = ? AND mark IS NOT NULL)"
        return try Bool.fetchOne(db, sql: sql, arguments: [pool.rawValue]) ?? false
    }

    /// Which volumes read from another file, whatever has become of their pools.
    static func links(_ db: Database) throws -> [VolumeLink] {
        let sql = """
            SELECT volume.pool, coalesce(pool.name, volume.pool) || '/' || volume.name AS full,
                volume.path, volume.backing
            FROM volume LEFT JOIN pool ON pool.id = volume.pool
            WHERE volume.backing IS NOT NULL AND volume.path NOT IN (\(raw)) ORDER BY full
            """
        return try Row.fetchAll(db, sql: sql).map {
            VolumeLink(pool: $0["pool"], volume: $0["full"], path: $0["path"], backing: $0["backing"])
        }
    }

    /// Where the volumes of a pool are.
    static func paths(_ db: Database, of pool: ObjectID) throws -> [String] {
        try String.fetchAll(
            db, sql: "SELECT path FROM volume WHERE pool = ?", arguments: [pool.rawValue])
    }

    /// The volumes of a pool that read from what is not in it. With the pool they would be forgotten, and
    /// what they read from could be removed.
    /// - Parameter gone: files that go with it.
    static func links(_ db: Database, outOf pool: ObjectID, besides gone: [String]) throws -> [VolumeLink] {
        let own = Set(try paths(db, of: pool).map { ExactName($0) })
        let gone = Set(gone.map { ExactName($0) })
        return try links(db).filter {
            $0.pool == pool.rawValue && !own.contains(ExactName($0.backing))
                && !gone.contains(ExactName($0.path))
        }
    }

    /// The files whose first bytes are a guest's, and say nothing: the volumes that were made as raw ones,
    /// while they are what was made, and what VMs have as raw disks; but nothing that was made as something
    /// else.
    static func rawPaths(_ db: Database) throws -> [String] {
        try String.fetchAll(db.cachedStatement(sql: raw))
    }

    /// What is known of the volume of ours at a path that is still the file that was made.
    static func mark(_ db: Database, path: String) throws -> KeptVolume? {
        let sql = "SELECT \(VolumeRow.columns) FROM volume WHERE path = ? AND mark IS NOT NULL"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [path]).map({ try VolumeRow($0) }) else {
            return nil
        }
        return try row.value().state == .replaced ? nil : row.mark
    }

    private static let raw = """
        SELECT path FROM volume
        WHERE mark IS NOT NULL AND mark ->> '$.format' = 'raw' AND document ->> '$.state' <> 'replaced'
        UNION
        SELECT disk.value ->> '$.path' FROM vm, json_each(vm.document, '$.disks') AS disk
        WHERE disk.value ->> '$.path' IS NOT NULL AND coalesce(disk.value ->> '$.format', 'raw') <> 'qcow2'
            AND disk.value ->> '$.path' NOT IN
                (SELECT path FROM volume WHERE mark IS NOT NULL AND mark ->> '$.format' <> 'raw')
        """

    /// Whether a path is that of a volume.
    static func isVolume(_ db: Database, path: String) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM volume WHERE path = ?)", arguments: [path]) ?? false
    }
}

extension Transaction {
    /// Makes the volumes of a pool equal to what was found. Those that an operation holds are its business;
    /// ours that are gone are shown as missing.
    /// - Returns: whether one came or went.
    @discardableResult
    func replaceVolumes(of pool: ObjectID, with found: [SeenVolume]) throws -> Bool {
        let known = VolumeStore.byName(try VolumeStore.all(db, of: pool))
        var changed = false
        for seen in found {
            let row = known[ExactName(seen.volume.name)]
            if row?.operation != nil { continue }
            changed = try changed || row?.value().state != .present
            try store(seen.volume(after: row), of: pool, row?.mark)
        }
        let names = Set(found.map { ExactName($0.volume.name) })
        for (name, row) in known where !names.contains(name) && row.operation == nil {
            if row.mark != nil {
                changed = try lose(row) || changed
            } else {
                changed = true
                try removeVolume(row, origin: .libvirt)
            }
        }
        return changed
    }

    /// Of a pool that is not there all volumes are missing, and none is forgotten: it may come back.
    func loseVolumes(of pool: ObjectID) throws {
        for row in try VolumeStore.all(db, of: pool) where row.operation == nil { try lose(row) }
    }

    /// Shows a volume as missing. What it reads from stays known, so that it can come back.
    /// - Returns: whether it was there.
    @discardableResult
    private func lose(_ row: VolumeRow) throws -> Bool {
        var volume = try row.value()
        let wasThere = volume.state == .present
        (volume.state, volume.allocationBytes) = (.missing, nil)
        try store(volume, of: row.pool, row.mark)
        return wasThere
    }

    /// Makes the stored volume equal to `volume`, with the event that tells of the difference.
    func store(_ volume: Volume, of pool: ObjectID, _ mark: KeptVolume?) throws {
        let document = try JSON.text(VolumeDocument.stored(volume))
        let kept = try mark.map { try JSON.text($0) }
        guard let old = try VolumeStore.find(db, pool, volume.name) else {
            return try insert(volume, of: pool, document, kept)
        }
        let before = try old.value()
        guard VolumeDocument.stored(before) != VolumeDocument.stored(volume) || old.mark != mark else {
            return
        }
        let same = VolumeDocument.bare(before) == VolumeDocument.bare(volume)
        try execute(
            """
            UPDATE volume SET id = ?, path = ?, backing = ?, document = ?, mark = ?, revision = revision + ?
            WHERE pool = ? AND name = ?
            """,
            [
                volume.id.rawValue, volume.path, volume.backing, document, kept, same ? 0 : 1, pool.rawValue,
                volume.name,
            ])
        guard !same else { return }
        if before.labels != volume.labels { try setLabels(.volume, volume.id, volume.labels) }
        try emit(
            VolumeDocument.eventType(before, volume), volume.reference, operation: old.operation,
            origin: old.operation == nil ? .libvirt : .vctl)
    }

    private func insert(_ volume: Volume, of pool: ObjectID, _ document: String, _ mark: String?) throws {
        try execute(
            """
            INSERT INTO volume(id, pool, name, path, backing, revision, document, mark)
            VALUES (?, ?, ?, ?, ?, 1, ?, ?)
            """,
            [
                volume.id.rawValue, pool.rawValue, volume.name, volume.path, volume.backing, document, mark,
            ])
        try setLabels(.volume, volume.id, volume.labels)
        let holder = try Claim.holder(db, of: volume.id, .disks)
        try emit(
            "volume.created", volume.reference, operation: holder, origin: holder == nil ? .libvirt : .vctl)
    }

    /// Stores a volume as it was found after a change, with the mark that it has.
    func renew(_ found: SeenVolume?, of pool: ObjectID, _ name: String) throws {
        guard let found, let row = try VolumeStore.find(db, pool, name) else { return }
        var mark = row.mark
        let volume = try found.volume(after: row)
        mark?.backing = volume.backing
        try store(volume, of: pool, mark)
    }

    /// Removes a volume's row.
    func removeVolume(_ row: VolumeRow, origin: EventOrigin) throws {
        let reference = try row.value().reference
        try execute("DELETE FROM volume WHERE pool = ? AND name = ?", [row.pool.rawValue, row.name])
        try setLabels(.volume, row.id, [:])
        try emit("volume.deleted", reference, operation: row.operation, origin: origin)
    }

    /// Forgets all volumes of a pool; nothing happens to them.
    func removeVolumes(of pool: ObjectID) throws {
        for row in try VolumeStore.all(db, of: pool) where !row.labelsAreEmpty {
            try setLabels(.volume, row.id, [:])
        }
        try execute("DELETE FROM volume WHERE pool = ?", [pool.rawValue])
    }
}

extension VolumeRow {
    fileprivate var labelsAreEmpty: Bool { mark?.labels.isEmpty ?? true }
}

/// The stored form of a volume, and what two of them differ in.
enum VolumeDocument {
    /// Without what stands elsewhere.
    static func stored(_ volume: Volume) -> Volume {
        var copy = volume
        (copy.operation, copy.usedBy) = (nil, [])
        return copy
    }

    /// Without what changes while the volume does not.
    static func bare(_ volume: Volume) -> Volume {
        var copy = stored(volume)
        copy.allocationBytes = nil
        return copy
    }

    static func eventType(_ before: Volume, _ after: Volume) -> String {
        guard before.state != after.state else { return "volume.changed" }
        return switch after.state {
        case .missing: "volume.missing"
        case .replaced: "volume.replaced"
        case .unproven: "volume.unproven"
        case .creating, .present: "volume.changed"
        }
    }

    /// A stored text with what stands elsewhere.
    static func text(_ document: String, _ users: [String], _ operation: String?) throws -> String {
        guard !users.isEmpty || operation != nil else { return document }
        var volume = try JSON.value(Volume.self, document)
        volume.usedBy = users
        volume.operation = operation.flatMap { ObjectID($0) }
        return try JSON.text(volume)
    }
}
