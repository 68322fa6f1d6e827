// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VctlAPI

/// The schema of the inventory, as a list of steps that are never changed once released.
enum Migrations {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-first") { db in try db.execute(sql: first) }
        migrator.registerMigration("2-state-reasons") { db in try db.execute(sql: stateReasons) }
        migrator.registerMigration("3-crashes") { db in try db.execute(sql: crashes) }
        migrator.registerMigration("4-profiles") { db in try db.execute(sql: profiles) }
        migrator.registerMigration("5-networks") { db in try db.execute(sql: networks) }
        migrator.registerMigration("6-taps") { db in try db.execute(sql: links("tap")) }
        migrator.registerMigration("8-forwards") { db in try db.execute(sql: forwards) }
        migrator.registerMigration("9-bridges") { db in try db.execute(sql: links("bridge")) }
        migrator.registerMigration("10-security-groups") { db in try db.execute(sql: securityGroups) }
        migrator.registerMigration("11-pools") { db in try db.execute(sql: pools) }
        return migrator
    }

    /// Migrates the file at `path`, with a copy of it beside it that is put back when that fails.
    static func prepare(path: String, with migrator: DatabaseMigrator = Migrations.migrator) throws {
        guard FileManager.default.fileExists(atPath: path) else {
            let queue = try DatabaseQueue(path: path, configuration: Inventory.configuration())
            try migrator.migrate(queue)
            return try queue.close()
        }
        let queue = try open(path)
        defer { try? queue.close() }
        guard try !queue.read(migrator.hasBeenSuperseded) else {
            throw InventoryError.newerSchema(found: try lastMigration(queue))
        }
        guard try !queue.read(migrator.hasCompletedMigrations) else { return }
        try migrate(queue, path: path, migrator)
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        do {
            let queue = try DatabaseQueue(path: path, configuration: Inventory.configuration())
            _ = try queue.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") }
            return queue
        } catch {
            throw InventoryError.unreadable(reason: "\(error)")
        }
    }

    private static func migrate(_ queue: DatabaseQueue, path: String, _ migrator: DatabaseMigrator) throws {
        let copy = "\(path).before-\(try lastMigration(queue))"
        try back(up: queue, to: copy)
        do {
            try migrator.migrate(queue)
        } catch {
            try queue.close()
            try putBack(copy, path)
            throw InventoryError.migrationFailed(reason: "\(error)", copy: copy)
        }
    }

    private static func lastMigration(_ queue: DatabaseQueue) throws -> String {
        try queue.read { db in
            guard try db.tableExists("grdb_migrations") else { return "empty" }
            let names = try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations ORDER BY rowid")
            return names.last ?? "empty"
        }
    }

    private static func back(up queue: DatabaseQueue, to copy: String) throws {
        try? FileManager.default.removeItem(atPath: copy)
        let target = try DatabaseQueue(path: copy)
        try queue.backup(to: target)
        try target.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: copy)
    }

    private static func putBack(_ copy: String, _ path: String) throws {
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        try FileManager.default.copyItem(atPath: copy, toPath: path)
    }

    /// Reasons were any text once; what is read again gets its word by itself.
    private static let stateReasons = """
        UPDATE vm SET document = json_set(document, '$.stateReason', 'undefined')
        WHERE state = 'missing' AND document ->> '$.stateReason' IS NOT NULL;
        """

    /// What vctld knows about VMs that have crashed, one row for each.
    private static let crashes = """
        CREATE TABLE crash(vm TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
        """

    private static let profiles = """
        CREATE TABLE profile(
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
            document TEXT NOT NULL);
        """

    /// Links of the host that are to be there; each kind has a table of its own.
    private static func links(_ kind: String) -> String {
        """
        CREATE TABLE \(kind)(
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
            document TEXT NOT NULL);
        """
    }

    private static let forwards = """
        CREATE TABLE forward(
            id TEXT PRIMARY KEY, network TEXT NOT NULL, vm TEXT NOT NULL, document TEXT NOT NULL)
            WITHOUT ROWID;
        CREATE INDEX forward_network ON forward(network);
        """

    private static let pools = """
        CREATE TABLE pool(
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, managed INTEGER NOT NULL,
            revision INTEGER NOT NULL, observed_at INTEGER NOT NULL, document TEXT NOT NULL, mark TEXT,
            folder TEXT);
        CREATE TABLE volume(
            pool TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, path TEXT NOT NULL, backing TEXT,
            revision INTEGER NOT NULL, document TEXT NOT NULL, mark TEXT,
            PRIMARY KEY(pool, name)) WITHOUT ROWID;
        CREATE INDEX volume_id ON volume(id);
        CREATE INDEX volume_path ON volume(path);
        """

    private static let securityGroups = """
        CREATE TABLE securitygroup(
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,
            document TEXT NOT NULL);
        """

    private static let networks = """
        CREATE TABLE network(
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, managed INTEGER NOT NULL,
            revision INTEGER NOT NULL, observed_at INTEGER NOT NULL, document TEXT NOT NULL);
        """

    private static let first = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE vm(
            id TEXT PRIMARY KEY, name TEXT NOT NULL, state TEXT NOT NULL, managed INTEGER NOT NULL,
            image TEXT, linked INTEGER NOT NULL DEFAULT 0,
            revision INTEGER NOT NULL, observed_at INTEGER NOT NULL, document TEXT NOT NULL);
        CREATE UNIQUE INDEX vm_name ON vm(name) WHERE state <> 'missing';
        CREATE INDEX vm_image ON vm(image) WHERE image IS NOT NULL;
        CREATE TABLE image(
            id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL, path TEXT,
            revision INTEGER NOT NULL, document TEXT NOT NULL, announced TEXT);
        CREATE TABLE label(
            kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY(kind, id, key)) WITHOUT ROWID;
        CREATE INDEX label_value ON label(kind, key, value);
        CREATE TABLE operation(
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
            version INTEGER NOT NULL, status TEXT NOT NULL, parent TEXT, request TEXT NOT NULL,
            requestor TEXT NOT NULL, resources TEXT NOT NULL, created_at INTEGER NOT NULL, started_at INTEGER,
            finished_at INTEGER, cancel_requested INTEGER NOT NULL DEFAULT 0, failure TEXT, result TEXT,
            warnings TEXT NOT NULL DEFAULT '[]', revision INTEGER NOT NULL DEFAULT 1);
        CREATE INDEX operation_status ON operation(status);
        CREATE TABLE step(
            operation TEXT NOT NULL REFERENCES operation(id) ON DELETE CASCADE, position INTEGER NOT NULL,
            key TEXT NOT NULL, status TEXT NOT NULL, output TEXT, PRIMARY KEY(operation, key)) WITHOUT ROWID;
        CREATE TABLE claim(
            subject TEXT NOT NULL, aspect TEXT NOT NULL, mode TEXT NOT NULL,
            operation TEXT NOT NULL REFERENCES operation(id) ON DELETE CASCADE,
            PRIMARY KEY(subject, aspect, operation)) WITHOUT ROWID;
        CREATE TABLE idempotency(
            uid INTEGER NOT NULL, key TEXT NOT NULL, hash TEXT NOT NULL, operation TEXT, object TEXT,
            created_at INTEGER NOT NULL, PRIMARY KEY(uid, key)) WITHOUT ROWID;
        CREATE TABLE event(
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, type TEXT NOT NULL, kind TEXT,
            subject TEXT, name TEXT, operation TEXT, origin TEXT NOT NULL, data TEXT);
        CREATE TABLE warning(
            id TEXT PRIMARY KEY, code TEXT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL, hint TEXT,
            subject_document TEXT, count INTEGER NOT NULL, first_seen INTEGER NOT NULL,
            last_seen INTEGER NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0, UNIQUE(code, subject));
        CREATE TABLE audit(
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, requestor TEXT NOT NULL,
            action TEXT NOT NULL, target TEXT, outcome TEXT NOT NULL, code TEXT, operation TEXT);
        """
}
