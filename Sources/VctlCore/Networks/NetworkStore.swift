// SPDX-License-Identifier: Apache-2.0
import GRDB
import Synchronization
import VctlAPI

/// A network as stored.
struct NetworkRow: Sendable {
    let id: ObjectID
    let name: String
    let revision: Int64
    let observedAt: Timestamp
    /// The operation that holds it.
    let operation: ObjectID?
    private let document: String

    static let columns = """
        network.id, network.name, network.revision, network.observed_at, network.document,
        (SELECT operation FROM claim WHERE subject = network.id AND mode = 'exclusive' LIMIT 1) AS holder
        """

    init(_ row: Row) {
        id = ObjectID(row["id"] as String)!
        name = row["name"]
        revision = row["revision"]
        observedAt = Timestamp(milliseconds: row["observed_at"])
        document = row["document"]
        operation = (row["holder"] as String?).flatMap { ObjectID($0) }
    }

    /// The network without those who use it.
    func value() throws -> Network {
        var network = try NetworkDocument.network(id, document)
        network.observedAt = observedAt
        network.operation = operation
        return network
    }

    var etag: String { "\"\(revision)\"" }
    var reference: ObjectReference { ObjectReference(kind: .network, id: id, name: name) }
}

/// Reading networks.
enum NetworkStore {
    static func find(_ db: Database, _ reference: Reference) throws -> NetworkRow? {
        let column = if case .id = reference { "id" } else { "name" }
        let sql = "SELECT \(NetworkRow.columns) FROM network WHERE \(column) = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [reference.description]).map(
            NetworkRow.init)
    }

    /// - Throws: ``Problem`` `network.notFound`, with the names that were perhaps meant.
    static func get(_ db: Database, _ reference: Reference) throws -> NetworkRow {
        if let row = try find(db, reference) { return row }
        throw Problem(
            .networkNotFound, "there is no network \(shown(reference.description))",
            hint: try Comparison.hint(db, "network", reference))
    }

    static func all(_ db: Database) throws -> [NetworkRow] {
        try Row.fetchAll(db, sql: "SELECT \(NetworkRow.columns) FROM network ORDER BY name").map(
            NetworkRow.init)
    }

    /// A page of networks by name.
    static func page(_ db: Database, _ query: ListQuery) throws -> (rows: [NetworkRow], next: String?) {
        let limit = query.limit ?? Int.max - 1
        let label = LabelFilter.condition(.network, query.labels)
        let sql = """
            SELECT \(NetworkRow.columns) FROM network
            WHERE (? IS NULL OR network.name > ?) AND (? IS NULL OR network.state = ?) AND \(label.sql)
            ORDER BY network.name LIMIT ?
            """
        let arguments: StatementArguments =
            [query.after, query.after, query.state, query.state] + StatementArguments(label.arguments)
            + [limit + 1]
        let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
        let found = rows.prefix(limit).map { NetworkRow($0) }
        return (found, rows.count > limit ? found.last?.name : nil)
    }

    /// Those that are on a bridge of the host, by its name.
    static func bridges(_ db: Database) throws -> [String: Network] {
        let pairs = try all(db).map { try $0.value() }.compactMap { network in
            network.bridge.map { ($0, network) }
        }
        return Dictionary(pairs) { first, _ in first }
    }

    /// The VMs on each network, by its name.
    static func users(_ db: Database) throws -> [String: [String]] {
        let sql = """
            SELECT DISTINCT value ->> '$.network' AS network, vm.name AS vm
            FROM vm, json_each(vm.document, '$.nics')
            WHERE value ->> '$.network' IS NOT NULL ORDER BY vm.name
            """
        let rows = try Row.fetchAll(db.cachedStatement(sql: sql))
        return Dictionary(grouping: rows) { $0["network"] as String }.mapValues { $0.map { $0["vm"] } }
    }
}

extension Transaction {
    /// Makes the stored network equal to `network`, with the event that tells of the difference.
    func store(_ network: Network) throws {
        let document = try JSON.text(NetworkDocument.bare(network))
        guard let old = try NetworkStore.find(db, .id(network.id)) else {
            return try insert(network, document)
        }
        try giveWay(to: network)
        let before = try old.value()
        let same = NetworkDocument.bare(before) == NetworkDocument.bare(network)
        try execute(
            """
            UPDATE network SET name = ?, state = ?, managed = ?, document = ?, observed_at = ?,
                revision = revision + ? WHERE id = ?
            """,
            [
                network.name, network.state.rawValue, network.managed, document,
                network.observedAt.milliseconds, same ? 0 : 1, network.id.rawValue,
            ])
        guard !same else { return }
        if before.labels != network.labels { try setLabels(.network, network.id, network.labels) }
        try emit(
            NetworkDocument.eventType(before, network), network.reference, operation: old.operation,
            origin: old.operation == nil ? .libvirt : .vctl)
    }

    private func insert(_ network: Network, _ document: String) throws {
        try giveWay(to: network)
        try execute(
            """
            INSERT INTO network(id, name, state, managed, revision, observed_at, document)
            VALUES (?, ?, ?, ?, 1, ?, ?)
            """,
            [
                network.id.rawValue, network.name, network.state.rawValue, network.managed,
                network.observedAt.milliseconds, document,
            ])
        try setLabels(.network, network.id, network.labels)
        let holder = try NetworkStore.find(db, .id(network.id))?.operation
        try emit(
            "network.created", network.reference, operation: holder,
            origin: holder == nil ? .libvirt : .vctl, data: ["state": network.state.rawValue])
    }

    /// A row that still has the name under another id is stale.
    private func giveWay(to network: Network) throws {
        try execute(
            "UPDATE network SET name = id WHERE name = ? AND id <> ?", [network.name, network.id.rawValue])
    }

    /// A network that libvirt does not have. While an operation holds it, it is that one's business.
    func vanishedNetwork(_ id: ObjectID) throws {
        guard let row = try NetworkStore.find(db, .id(id)), row.operation == nil else { return }
        try removeNetwork(id, origin: .libvirt)
    }

    /// Removes a network's row. A reading of libvirt that is still on its way must not bring it back.
    func removeNetwork(_ id: ObjectID, origin: EventOrigin) throws {
        readings.supersede(id)
        guard let row = try NetworkStore.find(db, .id(id)) else { return }
        try execute("DELETE FROM network WHERE id = ?", [id.rawValue])
        try execute("DELETE FROM forward WHERE network = ?", [id.rawValue])
        try setLabels(.network, id, [:])
        try execute("DELETE FROM warning WHERE subject = ?", [id.rawValue])
        try emit("network.deleted", row.reference, operation: row.operation, origin: origin)
        NetworkDocument.forget(id)
    }
}

extension Network {
    var reference: ObjectReference { ObjectReference(kind: .network, id: id, name: name) }
}

/// The stored form of a network, and what two of them differ in.
enum NetworkDocument {
    /// What was read lately: the rules are made from all networks at each change of one.
    private static let known = Mutex<[ObjectID: (text: String, network: Network)]>([:])

    /// The network that a stored text describes.
    static func network(_ id: ObjectID, _ text: String) throws -> Network {
        // By bytes: to Swift, texts are the same that a reader tells apart.
        if let last = known.withLock({ $0[id] }), last.text.utf8.elementsEqual(text.utf8) {
            return last.network
        }
        let network = try JSON.value(Network.self, text)
        known.withLock { $0[id] = (text, network) }
        return network
    }

    /// Forgets a network that is gone.
    static func forget(_ id: ObjectID) { known.withLock { $0[id] = nil } }

    /// Without what changes while the network does not.
    static func bare(_ network: Network) -> Network {
        var copy = network
        copy.observedAt = Timestamp(milliseconds: 0)
        (copy.operation, copy.usedBy) = (nil, [])
        return copy
    }

    static func eventType(_ before: Network, _ after: Network) -> String {
        guard before.state != after.state else { return "network.changed" }
        return after.state == .running ? "network.started" : "network.stopped"
    }
}
