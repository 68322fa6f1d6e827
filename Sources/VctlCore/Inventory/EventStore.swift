// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

extension Inventory {
    /// The newest sequence number; 0 before the first event.
    func lastEvent() async throws -> Int64 {
        try await read { try EventStore.last($0) }
    }
}

/// Reading the stored events.
enum EventStore {
    static func last(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db.cachedStatement(sql: "SELECT max(sequence) FROM event")) ?? 0
    }

    /// Events after `sequence`, at most `limit`, in order. What was trimmed in between comes as one of type
    /// `gap`.
    static func page(_ db: Database, after sequence: Int64, limit: Int) throws -> [Event] {
        let statement = try db.cachedStatement(
            sql: "SELECT * FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?")
        let events = try Row.fetchAll(statement, arguments: [sequence, limit]).map(value)
        guard let first = events.first, first.sequence > sequence + 1 else { return events }
        return [gap(before: first, after: sequence)] + events
    }

    /// The newest events, at most `limit`, in order.
    static func newest(_ db: Database, limit: Int) throws -> [Event] {
        let statement = try db.cachedStatement(sql: "SELECT * FROM event ORDER BY sequence DESC LIMIT ?")
        return try Row.fetchAll(statement, arguments: [limit]).map(value).reversed()
    }

    private static func gap(before first: Event, after sequence: Int64) -> Event {
        Event(
            sequence: first.sequence - 1, time: first.time, type: "gap", origin: .vctl,
            data: ["from": "\(sequence + 1)", "to": "\(first.sequence - 1)"])
    }

    private static func value(_ row: Row) throws -> Event {
        var subject: ObjectReference?
        if let kind = (row["kind"] as String?).flatMap(ObjectKind.init(rawValue:)),
            let id = (row["subject"] as String?).flatMap({ ObjectID($0) })
        {
            subject = ObjectReference(kind: kind, id: id, name: row["name"] ?? "")
        }
        return Event(
            sequence: row["sequence"], time: Timestamp(milliseconds: row["time"]), type: row["type"],
            subject: subject, operation: (row["operation"] as String?).flatMap { ObjectID($0) },
            origin: EventOrigin(rawValue: row["origin"]) ?? .vctl,
            data: try (row["data"] as String?).map { try JSON.value([String: String].self, $0) } ?? [:])
    }

    /// Forgets all but the newest `keep`; the newest row always stays, since numbers go on above it.
    static func trim(_ transaction: Transaction, keep: Int) throws {
        try transaction.execute(
            "DELETE FROM event WHERE sequence <= (SELECT max(sequence) FROM event) - ?", [max(keep, 1)])
    }
}

/// The stored events and the waiting for new ones.
public struct EventService: Sendable {
    let inventory: Inventory

    /// Stored events after `sequence`, at most `limit`.
    public func page(after sequence: Int64, limit: Int) async throws -> [Event] {
        try await inventory.read { try EventStore.page($0, after: sequence, limit: limit) }
    }

    /// The newest stored events, at most `limit`.
    public func newest(limit: Int) async throws -> [Event] {
        try await inventory.read { try EventStore.newest($0, limit: limit) }
    }

    /// The newest sequence number.
    public func last() async throws -> Int64 { try await inventory.lastEvent() }

    /// Waits for an event after `sequence`. `false` when the daemon stops or the task is cancelled.
    public func wait(after sequence: Int64) async -> Bool { await inventory.bus.wait(after: sequence) }

    /// One event as JSON.
    public func json(_ event: Event) throws -> String { try JSON.text(event) }
}
