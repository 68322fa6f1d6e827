// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// A VM as stored: the projected document, and what the inventory knows beside it.
struct VMRow: Sendable {
    let id: ObjectID
    let name: String
    let revision: Int64
    let observedAt: Timestamp
    /// JSON without `observedAt` and `operation`, which change without the VM.
    let document: String
    /// The operation that holds it.
    let operation: ObjectID?

    static let columns = """
        vm.id, vm.name, vm.revision, vm.observed_at, vm.document,
        (SELECT operation FROM claim WHERE subject = vm.id AND mode = 'exclusive' LIMIT 1) AS holder
        """

    init(_ row: Row) {
        id = ObjectID(row["id"] as String)!
        name = row["name"]
        revision = row["revision"]
        observedAt = Timestamp(milliseconds: row["observed_at"])
        document = row["document"]
        operation = (row["holder"] as String?).flatMap { ObjectID($0) }
    }

    /// The document as the API shows it.
    var json: String {
        let holder = operation.map { ",\"operation\":\"\($0)\"" } ?? ""
        return "\(document.dropLast()),\"observedAt\":\"\(observedAt)\"\(holder)}"
    }

    func value() throws -> VM { try JSON.value(VM.self, json) }
    var etag: String { "\"\(revision)\"" }
    var reference: ObjectReference { ObjectReference(kind: .vm, id: id, name: name) }
}

/// Reading VMs.
enum VMStore {
    static func find(_ db: Database, _ reference: Reference) throws -> VMRow? {
        let condition =
            if case .id = reference { "id = ?" } else { "name = ? ORDER BY state = 'missing' LIMIT 1" }
        let sql = "SELECT \(VMRow.columns) FROM vm WHERE \(condition)"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [reference.description]).map(
            VMRow.init)
    }

    static func get(_ db: Database, _ reference: Reference) throws -> VMRow {
        guard let row = try find(db, reference) else {
            throw try Comparison.missing(db, reference)
        }
        return row
    }

    /// A page of VMs by name.
    static func page(_ db: Database, _ query: ListQuery) throws -> (texts: [String], next: String?) {
        let limit = query.limit ?? Int.max - 1
        let label = LabelFilter.condition(.vm, query.labels)
        let select = query.fields.map { cut($0) } ?? VMRow.columns
        let sql = """
            SELECT \(select), vm.name || '/' || vm.id AS cursor FROM vm
            WHERE (? IS NULL OR (vm.name, vm.id) > (?, ?)) AND (? IS NULL OR vm.state = ?) AND \(label.sql)
            ORDER BY vm.name, vm.id LIMIT ?
            """
        let (name, id) = place(query.after)
        let arguments: StatementArguments =
            [name, name, id, query.state, query.state] + StatementArguments(label.arguments) + [limit + 1]
        let statement =
            query.fields == nil ? try db.cachedStatement(sql: sql) : try db.makeStatement(sql: sql)
        let rows = try Row.fetchAll(statement, arguments: arguments)
        let texts = rows.prefix(limit).map { row in
            query.fields == nil ? VMRow(row).json : row["cut"] as String
        }
        return (texts, rows.count > limit ? rows[limit - 1]["cursor"] : nil)
    }

    /// `NAME/UUID`, or a name alone, behind all of that name: a VM that is missing may have a successor.
    private static func place(_ after: String?) -> (name: String?, id: String) {
        guard let after, let slash = after.lastIndex(of: "/") else { return (after, "\u{10FFFF}") }
        return (String(after[..<slash]), String(after[after.index(after: slash)...]))
    }

    /// SQL that makes the answer of the wanted fields; only where they are asked for, the two that are not
    /// stored in the document are put in.
    private static func cut(_ fields: [String]) -> String {
        guard fields.contains("observedAt") || fields.contains("operation") else {
            return FieldFilter.expression(fields, "vm.document") + " AS cut"
        }
        let time = "strftime('%Y-%m-%dT%H:%M:%fZ', vm.observed_at / 1000.0, 'unixepoch')"
        let holder = "(SELECT operation FROM claim WHERE subject = vm.id AND mode = 'exclusive' LIMIT 1)"
        let whole = "json_set(vm.document, '$.observedAt', \(time), '$.operation', \(holder))"
        return FieldFilter.expression(fields, whole) + " AS cut"
    }

    static func value(_ db: Database, _ id: ObjectID) throws -> VM? {
        try find(db, .id(id))?.value()
    }

    /// The names of VMs whose disks were made from an image, linked or all.
    static func users(_ db: Database, ofImage id: ObjectID, linkedOnly: Bool) throws -> [String] {
        try String.fetchAll(
            db.cachedStatement(
                sql: "SELECT name FROM vm WHERE image = ? AND (linked OR NOT ?) ORDER BY name"),
            arguments: [id.rawValue, linkedOnly])
    }
}

extension Transaction {
    /// Makes the stored VM equal to `vm`, with the events that tell of the difference. Nothing is written
    /// when there is none.
    /// - Returns: whether something changed.
    @discardableResult
    func store(_ new: VM) throws -> Bool {
        var vm = new
        try nameImage(of: &vm)
        try tellOfCrash(&vm)
        let document = try VMDocument.text(vm)
        guard let old = try VMStore.find(db, .id(vm.id)) else {
            try insert(vm, document)
            return true
        }
        guard old.document != document else { return false }
        let before = try old.value()
        let same =
            try VMDocument.text(VMDocument.withoutGuest(before))
            == VMDocument.text(VMDocument.withoutGuest(vm))
        try execute(
            """
            UPDATE vm SET name = ?, state = ?, managed = ?, image = ?, linked = ?, document = ?,
                observed_at = ?, revision = revision + ? WHERE id = ?
            """,
            [
                vm.name, vm.state.rawValue, vm.managed, vm.image?.id.rawValue, vm.image?.linked ?? false,
                document,
                vm.observedAt.milliseconds, same ? 0 : 1, vm.id.rawValue,
            ])
        if before.labels != vm.labels { try setLabels(.vm, vm.id, vm.labels) }
        // How full a guest's disks are changes each minute, and is no news.
        let differences = VMDocument.differences(before, vm)
        if !same || !differences.isEmpty { try tell(before, vm, differences, holder: old.operation) }
        return true
    }

    /// The domain's mark has the name that the image had when the disks were made; it may have another now.
    private func nameImage(of vm: inout VM) throws {
        guard let id = vm.image?.id, let image = try ImageStore.find(db, .id(id)) else { return }
        vm.image?.name = image.name.rawValue
    }

    /// Shows a renamed image under its new name where VMs name it.
    func nameImage(_ id: ObjectID) throws {
        let users = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT \(VMRow.columns) FROM vm WHERE image = ?"),
            arguments: [id.rawValue])
        for row in users { try store(VMRow(row).value()) }
    }

    private func insert(_ vm: VM, _ document: String) throws {
        try execute(
            """
            INSERT INTO vm(id, name, state, managed, image, linked, revision, observed_at, document)
            VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
            """,
            [
                vm.id.rawValue, vm.name, vm.state.rawValue, vm.managed, vm.image?.id.rawValue,
                vm.image?.linked ?? false, vm.observedAt.milliseconds, document,
            ])
        try setLabels(.vm, vm.id, vm.labels)
        let holder = try VMStore.find(db, .id(vm.id))?.operation
        try emit(
            "vm.created", ObjectReference(kind: .vm, id: vm.id, name: vm.name), operation: holder,
            origin: holder == nil ? .libvirt : .vctl, data: ["state": vm.state.rawValue])
    }

    private func tell(_ before: VM, _ after: VM, _ differences: [String: String], holder: ObjectID?) throws {
        try emit(
            VMDocument.eventType(before, after), ObjectReference(kind: .vm, id: after.id, name: after.name),
            operation: holder,
            origin: holder == nil && !readings.isChanging(after.id) ? .libvirt : .vctl,
            data: differences)
    }

    /// Removes a VM's row. A reading of libvirt that is still on its way must not bring it back.
    func removeVM(_ id: ObjectID, origin: EventOrigin) throws {
        readings.supersede(id)
        guard let row = try VMStore.find(db, .id(id)) else { return }
        try execute("DELETE FROM vm WHERE id = ?", [id.rawValue])
        try setLabels(.vm, id, [:])
        try execute("DELETE FROM warning WHERE subject = ?", [id.rawValue])
        try execute("DELETE FROM crash WHERE vm = ?", [id.rawValue])
        try removeForwards(to: id)
        try emit("vm.deleted", row.reference, operation: row.operation, origin: origin)
    }
}

/// The stored form of a VM, and what two of them differ in.
enum VMDocument {
    /// JSON without what changes while the VM does not.
    static func text(_ vm: VM) throws -> String {
        let all = try JSON.text(vm)
        // The keys are sorted and `observedAt` is always there, so its pair can be cut out.
        guard let range = all.firstRange(of: ",\"observedAt\":\"\(vm.observedAt)\"") else { return all }
        var text = all
        text.removeSubrange(range)
        return text
    }

    static func withoutGuest(_ vm: VM) -> VM {
        var copy = vm
        for index in copy.nics.indices { copy.nics[index].addresses = [] }
        copy.operation = nil
        (copy.agent, copy.guest) = (nil, nil)
        return copy
    }

    static func eventType(_ before: VM, _ after: VM) -> String {
        guard before.state != after.state else { return "vm.changed" }
        switch after.state {
        case .running: return before.state == .paused ? "vm.resumed" : "vm.started"
        case .paused: return "vm.paused"
        case .stopped: return after.stateReason?.isCrash == true ? "vm.crashed" : "vm.stopped"
        case .suspended: return "vm.suspended"
        case .crashed: return "vm.crashed"
        case .missing: return "vm.missing"
        case .unknown: return "vm.changed"
        }
    }

    /// Field → new value, for the fields that people watch.
    static func differences(_ before: VM, _ after: VM) -> [String: String] {
        let fields: [(String, (VM) -> String?)] = [
            ("name", { $0.name }), ("state", { $0.state.rawValue }),
            ("stateReason", { $0.stateReason?.rawValue }),
            ("cpus", { "\($0.cpus)" }), ("memoryBytes", { "\($0.memoryBytes)" }),
            (
                "labels",
                {
                    $0.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                        separator: ",")
                }
            ),
            ("addresses", { $0.nics.flatMap(\.addresses).map(\.address).joined(separator: ",") }),
            ("agent", { $0.agent?.state.rawValue }),
            ("disks", { $0.disks.map { $0.path ?? $0.target }.joined(separator: ",") }),
            ("managed", { "\($0.managed)" }), ("autostart", { "\($0.autostart)" }),
            ("autostartOrder", { $0.autostartOrder.map { "\($0)" } }),
            ("autostartDelaySeconds", { $0.autostartDelaySeconds.map { "\($0)" } }),
            ("onCrash", { $0.onCrash?.rawValue }), ("protected", { "\($0.protected)" }),
            ("description", { $0.description }),
        ]
        var result: [String: String] = [:]
        for (name, value) in fields where value(before) != value(after) { result[name] = value(after) ?? "" }
        return result
    }
}
