// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// A security group as stored.
struct SecurityGroupRow: Sendable {
    let revision: Int64
    let document: SecurityGroup

    init(_ row: Row) throws {
        revision = row["revision"]
        document = try JSON.value(SecurityGroup.self, row["document"])
    }

    var etag: String { "\"\(revision)\"" }
}

extension SecurityGroup {
    var reference: ObjectReference { ObjectReference(kind: .securitygroup, id: id, name: name.rawValue) }
}

/// Reading security groups.
enum SecurityGroupStore {
    static func find(_ db: Database, _ reference: Reference) throws -> SecurityGroupRow? {
        let column = if case .id = reference { "id" } else { "name" }
        let sql = "SELECT revision, document FROM securitygroup WHERE \(column) = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [reference.description]).map(
            SecurityGroupRow.init)
    }

    /// - Throws: ``Problem`` `securityGroup.notFound`.
    static func get(_ db: Database, _ reference: Reference) throws -> SecurityGroupRow {
        if let row = try find(db, reference) { return row }
        throw Problem(
            .securityGroupNotFound, "there is no security group \(shown(reference.description))",
            hint: try Comparison.hint(db, "securitygroup", reference))
    }

    /// A page of groups by name.
    static func page(_ db: Database, _ query: ListQuery) throws -> (rows: [SecurityGroupRow], next: String?) {
        let limit = query.limit ?? Int.max - 1
        let label = LabelFilter.condition(.securitygroup, query.labels)
        let sql = """
            SELECT revision, document FROM securitygroup
            WHERE (? IS NULL OR securitygroup.name > ?) AND \(label.sql) ORDER BY securitygroup.name LIMIT ?
            """
        let arguments: StatementArguments =
            [query.after, query.after] + StatementArguments(label.arguments) + [limit + 1]
        let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
        let found = try rows.prefix(limit).map { try SecurityGroupRow($0) }
        return (found, rows.count > limit ? found.last?.document.name.rawValue : nil)
    }

    /// The rules of all groups, by name.
    static func rules(_ db: Database) throws -> [String: [SecurityRule]] {
        let texts = try String.fetchAll(
            db.cachedStatement(sql: "SELECT document FROM securitygroup"))
        let groups = try texts.map { try JSON.value(SecurityGroup.self, $0) }
        return Dictionary(groups.map { ($0.name.rawValue, $0.rules) }) { first, _ in first }
    }

    /// The VMs whose NICs have a group, by name.
    static func users(_ db: Database, _ name: Name) throws -> [String] {
        let sql = """
            SELECT DISTINCT vm.name
            FROM vm, json_each(vm.document, '$.nics') AS nic, json_each(nic.value, '$.securityGroups') AS sg
            WHERE vm.state <> 'missing' AND sg.value = ? ORDER BY vm.name
            """
        return try String.fetchAll(db.cachedStatement(sql: sql), arguments: [name.rawValue])
    }
}

extension Transaction {
    /// Adds a group. That its name is free is for the database to say.
    /// - Throws: ``Problem`` `securityGroup.exists`.
    func insert(_ group: SecurityGroup) throws {
        do {
            try execute(
                "INSERT INTO securitygroup(id, name, revision, document) VALUES (?, ?, 1, ?)",
                [group.id.rawValue, group.name.rawValue, try JSON.text(group)])
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            throw Problem(
                .securityGroupExists, "there is a security group \(group.name) already",
                hint: "vctl securitygroup show \(group.name)")
        }
        try setLabels(.securitygroup, group.id, group.labels)
        try emit("securitygroup.created", group.reference)
    }

    /// Makes the stored group equal to this one.
    func update(_ group: SecurityGroup) throws {
        let old = try SecurityGroupStore.get(db, .id(group.id)).document
        guard old != group else { return }
        try execute(
            "UPDATE securitygroup SET document = ?, revision = revision + 1 WHERE id = ?",
            [try JSON.text(group), group.id.rawValue])
        if old.labels != group.labels { try setLabels(.securitygroup, group.id, group.labels) }
        try emit("securitygroup.changed", group.reference)
    }

    func remove(_ group: SecurityGroup) throws {
        try execute("DELETE FROM securitygroup WHERE id = ?", [group.id.rawValue])
        try setLabels(.securitygroup, group.id, [:])
        try emit("securitygroup.deleted", group.reference)
    }
}

/// Makes the rows of groups again from `objects/`, when the database was lost.
enum SecurityGroupRecovery {
    /// - Returns: files that cannot be read, and are left where they are.
    static func restore(_ state: StateDirectory, _ transaction: Transaction) throws -> [String] {
        let kept = state.kept(.securitygroup, SecurityGroup.self)
        for group in kept.values
        where try SecurityGroupStore.find(transaction.db, .name(group.name.rawValue)) == nil {
            try transaction.insert(group)
        }
        return kept.unreadable
    }

    /// Removes files of groups that are not there: the daemon died before their commit, or just behind it.
    static func sweep(_ state: StateDirectory, _ inventory: Inventory) async throws {
        let ids = try await inventory.read { try String.fetchAll($0, sql: "SELECT id FROM securitygroup") }
        let known = Set(ids)
        for group in state.kept(.securitygroup, SecurityGroup.self).values
        where !known.contains(group.id.rawValue) {
            try state.forget(.securitygroup, group.id)
        }
    }
}
