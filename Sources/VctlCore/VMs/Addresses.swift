// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import Logging
import VctlAPI

/// Finds the addresses of running guests: from DHCP leases, and from the agent, which knows better.
struct AddressReader: Sendable {
    let environment: VMEnvironment

    /// Asks, and stores what is new. Returns the VM as it is known then.
    /// - Parameter agent: whether the agent is asked although there is a lease.
    @discardableResult
    func refresh(_ id: ObjectID, agent: Bool = false) async throws -> VM? {
        guard let domain = try await environment.hypervisor.domain(id), try await domain.isActive() else {
            return nil
        }
        let leases = try await read(domain, .lease)
        var said: [String: [VM.Address]] = [:]
        if agent || leases.isEmpty {
            said = await GuestAddresses.read(
                environment.agent(of: .init(kind: .vm, id: id, name: domain.name), seconds: 5))
        }
        let addresses = Self.merged(leases, said)
        let agentSaidNothing = said.isEmpty
        return try await environment.inventory.write { transaction -> VM? in
            guard let row = try VMStore.find(transaction.db, .id(id)) else { return nil }
            var vm = try row.value()
            // What an agent has said that was not asked now counts for more than a lease.
            let keeps = agentSaidNothing && vm.agent?.state == .up
            for index in vm.nics.indices where !keeps || vm.nics[index].addresses.isEmpty {
                vm.nics[index].addresses = addresses[vm.nics[index].mac] ?? []
            }
            try transaction.store(vm)
            return vm
        }
    }

    /// A guest knows what it has: a lease that it does not use is none of its addresses.
    static func merged(_ leases: [String: [VM.Address]], _ said: [String: [VM.Address]]) -> [String: [VM
        .Address]]
    {
        leases.merging(said) { leases, said in
            guard !said.isEmpty else { return leases }
            return said.map { address in leases.first { $0.address == address.address } ?? address }
        }
    }

    private func read(_ domain: Domain, _ source: Domain.AddressSource) async throws -> [String: [VM.Address]]
    {
        let interfaces: [InterfaceAddresses]
        do {
            interfaces = try await domain.interfaceAddresses(source)
        } catch let error as LibvirtError where !environment.hypervisor.isLost(error) {
            // A driver without leases, a guest without an agent.
            return [:]
        }
        var result: [String: [VM.Address]] = [:]
        for interface in interfaces {
            guard let mac = interface.mac?.lowercased() else { continue }
            result[mac, default: []] += interface.addresses.filter(Self.isUseful).map {
                VM.Address(
                    address: $0.address, prefix: Int($0.prefix), source: source == .lease ? .lease : .agent)
            }
        }
        return result
    }

    /// Link-local addresses reach nobody by themselves.
    private static func isUseful(_ address: InterfaceAddress) -> Bool {
        !address.address.lowercased().hasPrefix("fe80:") && !address.address.isEmpty
    }
}

/// Looks for the addresses of guests that have none yet, often at first and then seldom, and now and then at
/// all. A guest whose agent is slow holds up nobody else.
struct AddressWatcher: Sendable {
    let environment: VMEnvironment
    private let asking = Asking()

    init(environment: VMEnvironment) { self.environment = environment }

    /// A running VM with NICs.
    private struct Present: Sendable {
        /// Whether every NIC has an address.
        var isKnown: Bool
        /// Whether its agent answers.
        var hasAgent: Bool
    }

    /// Looks until the task is cancelled.
    func run() async {
        var tries: [ObjectID: Int] = [:]
        var round = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            round += 1
            guard environment.hypervisor.isConnected, let present = try? await running() else { continue }
            tries = tries.filter { present.keys.contains($0.key) }
            for (id, vm) in present where Self.isDue(vm.isKnown, tries[id, default: 0], round) {
                guard asking.begin(id) else { continue }
                tries[id, default: 0] += 1
                Task {
                    _ = try? await AddressReader(environment: environment).refresh(id, agent: vm.hasAgent)
                    asking.end(id)
                }
            }
        }
    }

    /// Every second for two minutes, then every half minute; known ones every minute.
    private static func isDue(_ isKnown: Bool, _ tries: Int, _ round: Int) -> Bool {
        if isKnown { return round % 60 == 0 }
        return tries < 120 || round % 30 == 0
    }

    private func running() async throws -> [ObjectID: Present] {
        try await environment.inventory.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT id, document ->> '$.agent.state' = 'up' AS agent, NOT EXISTS (
                        SELECT 1 FROM json_each(document, '$.nics')
                        WHERE coalesce(json_array_length(value, '$.addresses'), 0) = 0) AS known
                    FROM vm WHERE state = 'running' AND document ->> '$.nics[0].mac' IS NOT NULL
                    """)
            var result: [ObjectID: Present] = [:]
            for row in try Row.fetchAll(statement) {
                guard let id = ObjectID(row["id"] as String) else { continue }
                result[id] = Present(isKnown: row["known"], hasAgent: (row["agent"] as Bool?) ?? false)
            }
            return result
        }
    }
}
