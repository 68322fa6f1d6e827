// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VctlAPI

/// The database: what libvirt does not know, and a projection of what it does. Every change of state is one
/// write that holds rows and events together; streams wake after the commit.
public final class Inventory: Sendable {
    let pool: DatabasePool
    let instance: ObjectID
    let bus = EventBus()
    let readings = Readings()
    private let answers = AnswerCache()
    private let reserve: SequenceReserve

    /// Opens the database at `path`, and brings its schema up to date; a copy is kept beside it before that.
    /// - Throws: ``InventoryError`` when it cannot be opened or a migration fails (the copy is put back
    ///   then).
    public init(path: String, instance: ObjectID) throws {
        self.instance = instance
        reserve = SequenceReserve(path: (path as NSString).deletingLastPathComponent + "/event-reserve")
        try Self.close(toOthers: path)
        try Migrations.prepare(path: path)
        pool = try DatabasePool(path: path, configuration: Self.configuration())
        // A power cut must lose nothing that was answered. GRDB sets NORMAL when it turns WAL on, after
        // everything that a configuration can say; only the writer's connection matters.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    }

    /// SQLite makes the files beside the database with the mode that the database has then.
    private static func close(toOthers path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { if descriptor >= 0 { Foundation.close(descriptor) } }
        guard descriptor >= 0, fchmod(descriptor, 0o600) == 0 else {
            throw InventoryError.unreadable(reason: "\(path): \(String(cString: strerror(errno)))")
        }
        for suffix in ["-wal", "-shm"] { chmod(path + suffix, 0o600) }
    }

    static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.maximumReaderCount = 4
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -4096")
        }
        return configuration
    }

    /// Runs `body` in one transaction and wakes the event streams after its commit.
    @discardableResult
    func write<T: Sendable>(_ body: @Sendable @escaping (Transaction) throws -> T) async throws -> T {
        let (value, last) = try await commit(body)
        if let last { bus.publish(last) }
        return value
    }

    private func commit<T: Sendable>(
        _ body: @Sendable @escaping (Transaction) throws -> T
    ) async throws -> (T, last: Int64?) {
        // Before anybody is told of the change, and where it is not known whether it was made.
        defer { answers.forget() }
        return try await pool.write { [reserve, readings] db in
            let transaction = Transaction(db: db, readings: readings)
            let value = try body(transaction)
            if let last = transaction.lastEvent { try reserve.cover(last) }
            return (value, transaction.lastEvent)
        }
    }

    /// Runs `body` on a snapshot; never waits for a writer.
    func read<T: Sendable>(_ body: @Sendable @escaping (Database) throws -> T) async throws -> T {
        try await pool.read(body)
    }

    /// What `make` renders from a snapshot, made anew only after a write.
    func answer(
        _ question: AnswerCache.Question, _ make: @Sendable @escaping (Database) throws -> Rendered
    ) async throws -> Rendered {
        let (kept, writes) = answers.look(question)
        if let kept { return kept }
        let made = try await read(make)
        answers.keep(made, for: question, after: writes)
        return made
    }

    /// Ends all use of the file.
    public func close() throws { try pool.close() }
}

/// What can be wrong with the database as a whole.
public enum InventoryError: Error, CustomStringConvertible {
    case newerSchema(found: String)
    case migrationFailed(reason: String, copy: String)
    case unreadable(reason: String)

    public var description: String {
        switch self {
        case .newerSchema(let found):
            "the inventory was written by a newer vctld (\(found)); install that version again"
        case .migrationFailed(let reason, let copy):
            "the inventory could not be migrated (\(reason)); the copy from before was put back from \(copy)"
        case .unreadable(let reason): "the inventory cannot be read: \(reason)"
        }
    }
}

/// One write in progress.
final class Transaction {
    let db: Database
    let readings: Readings
    private(set) var lastEvent: Int64?

    init(db: Database, readings: Readings) {
        self.db = db
        self.readings = readings
    }

    /// Stores an event in the same commit as the change that it tells of.
    func emit(
        _ type: String, _ subject: ObjectReference?, operation: ObjectID? = nil, origin: EventOrigin = .vctl,
        data: [String: String] = [:]
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO event(time, type, kind, subject, name, operation, origin, data)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            Timestamp.now.milliseconds, type, subject?.kind.rawValue, subject?.id.rawValue, subject?.name,
            operation?.rawValue, origin.rawValue, data.isEmpty ? nil : try JSON.text(data),
        ])
        lastEvent = db.lastInsertedRowID
    }

    func execute(_ sql: String, _ arguments: StatementArguments = StatementArguments()) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
