// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Reading forwards.
enum ForwardStore {
    static func all(_ db: Database) throws -> [NetworkForward] {
        try values(db, "ORDER BY forward.id", [])
    }

    static func all(_ db: Database, of network: ObjectID) throws -> [NetworkForward] {
        try values(db, "WHERE forward.network = ?", [network.rawValue]).sorted {
            ($0.protocol.rawValue, $0.ports.first, $0.key) < ($1.protocol.rawValue, $1.ports.first, $1.key)
        }
    }

    /// The TAPs of the NICs that forwards lead to, as far as these run.
    static func taps(_ db: Database, of forwards: [NetworkForward]) throws -> [String] {
        guard !forwards.isEmpty else { return [] }
        let sql = """
            SELECT value ->> '$.mac' AS mac, value ->> '$.tap' AS tap
            FROM vm, json_each(vm.document, '$.nics') WHERE vm.state = 'running' AND tap IS NOT NULL
            """
        let macs = Set(forwards.map(\.mac))
        return try Row.fetchAll(db, sql: sql).filter { macs.contains($0["mac"]) }.map { $0["tap"] }
    }

    private static func values(_ db: Database, _ which: String, _ arguments: StatementArguments) throws
        -> [NetworkForward]
    {
        let sql = """
            SELECT forward.document AS document, vm.name AS name, vm.document AS vm
            FROM forward LEFT JOIN vm ON vm.id = forward.vm \(which)
            """
        return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments).map { row in
            var forward = try JSON.value(NetworkForward.self, row["document"])
            guard let name: String = row["name"] else { return forward }
            forward.vm = name
            // An IPv4 address is kept for the VM.
            guard forward.vmAddress.family == .ipv6 else { return forward }
            return forward.following(try JSON.value(VM.self, row["vm"]))
        }
    }
}

extension NetworkForward {
    var reference: ObjectReference { ObjectReference(kind: .forward, id: id, name: key) }

    /// A guest chooses its IPv6 address itself, and may have chosen another of the same subnet since.
    func following(_ vm: VM) -> NetworkForward {
        let nic = vm.nics.first { $0.mac == mac }
        let known = (nic?.addresses ?? []).compactMap { IPAddress($0.address) }
        let subnet = vmAddress.number >> 64
        guard !known.contains(vmAddress),
            let chosen = known.first(where: { $0.family == .ipv6 && $0.number >> 64 == subnet })
        else { return self }
        var forward = self
        forward.vmAddress = chosen
        return forward
    }

    /// Whether a packet could be meant by both.
    func overlaps(_ other: NetworkForward) -> Bool {
        self.protocol == other.protocol && address.family == other.address.family
            && ports.overlaps(other.ports)
            && (address == other.address || address.number == 0 || other.address.number == 0)
    }
}

extension Transaction {
    /// Adds a forward, provided that nobody has its ports.
    /// - Throws: ``Problem`` `forward.taken`.
    func insert(_ forward: NetworkForward) throws {
        if let other = try ForwardStore.all(db).first(where: forward.overlaps) {
            throw Problem(
                .forwardTaken, "\(other.key) leads to VM \(shown(other.vm)) already",
                hint: "vctl network forward remove \(shown(other.network)) \(other.key)")
        }
        try execute(
            "INSERT INTO forward(id, network, vm, document) VALUES (?, ?, ?, ?)",
            [
                forward.id.rawValue, forward.networkID.rawValue, forward.vmID.rawValue,
                try JSON.text(forward),
            ])
        try emit("forward.created", forward.reference, data: ["vm": forward.vm, "network": forward.network])
    }

    func removeForward(_ forward: NetworkForward) throws {
        try execute("DELETE FROM forward WHERE id = ?", [forward.id.rawValue])
        try emit("forward.deleted", forward.reference, data: ["vm": forward.vm, "network": forward.network])
    }

    /// A VM that goes takes its forwards with it.
    func removeForwards(to vm: ObjectID) throws {
        let forwards = try ForwardStore.all(db).filter { $0.vmID == vm }
        for forward in forwards { try removeForward(forward) }
    }
}

/// Makes the rows of forwards again from `objects/`, when the database was lost.
enum ForwardRecovery {
    /// - Returns: files that cannot be read, and are left where they are.
    static func restore(_ state: StateDirectory, _ transaction: Transaction) throws -> [String] {
        let kept = state.kept(.forward, NetworkForward.self)
        let known = try ForwardStore.all(transaction.db)
        for forward in kept.values where !known.contains(where: forward.overlaps) {
            try transaction.insert(forward)
        }
        return kept.unreadable
    }

    /// Removes the files of those that lead to a VM.
    static func forget(to vm: ObjectID, _ state: StateDirectory) throws {
        for forward in state.kept(.forward, NetworkForward.self).values where forward.vmID == vm {
            try state.forget(.forward, forward.id)
        }
    }

    /// Removes files of forwards that are not there. For the start of the daemon, before requests are served.
    static func sweep(_ state: StateDirectory, _ inventory: Inventory) async throws {
        let known = Set(try await inventory.read { try ForwardStore.all($0).map(\.id) })
        for forward in state.kept(.forward, NetworkForward.self).values where !known.contains(forward.id) {
            try state.forget(.forward, forward.id)
        }
    }
}
