// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import Logging
import VctlAPI

/// Finds the addresses of running guests: from DHCP leases, and from the agent, which knows better.
struct AddressReader: Sendable {
    let environment: VMEnvironment

    /// Asks, and stores what is new. Returns the VM as it is known then.
    /// - Parameter agent: whether the agent is asked; without a word of it, where there is no lease.
    @discardableResult
    func refresh(_ id: ObjectID, agent: Bool? = nil) async throws -> VM? {
        guard let domain = try await environment.hypervisor.domain(id), try await domain.isActive() else {
            return nil
        }
        let leases = try await read(domain, .lease)
        var said: [String: [VM.Address]] = [:]
        if agent ?? leases.isEmpty {
            said = await GuestAddresses.read(
                environment.agent(of: .init(kind: .vm, id: id, name: domain.name), seconds: 5))
        }
        let addresses = Neighbours().addresses().merging(Self.merged(leases, said)) { seen, known in
            known.isEmpty ? seen : known
        }
        let agentSaidNothing = said.isEmpty
        let (before, vm) = try await environment.inventory.write { transaction -> (VM?, VM?) in
            guard let row = try VMStore.find(transaction.db, .id(id)) else { return (nil, nil) }
            let before = try row.value()
            var vm = before
            // What an agent has said that was not asked now counts for more than a lease.
            let keeps = agentSaidNothing && vm.agent?.state == .up
            for index in vm.nics.indices {
                if keeps, vm.nics[index].addresses.contains(where: { $0.source == .agent }) { continue }
                vm.nics[index].addresses = addresses[vm.nics[index].mac] ?? []
            }
            try transaction.store(vm)
            return (before, vm)
        }
        if let vm, vm.nics != before?.nics { await follow(vm) }
        return vm
    }

    /// What leads to a guest, and what guards it, goes by the addresses that it has.
    private func follow(_ vm: VM) async {
        await environment.firewall.check(asksKernel: false)
        if vm.nics.contains(where: { $0.antiSpoofing == true }) { await environment.nicGuard.check() }
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
/// all. An agent that does not answer is not asked, once that is known.
struct AddressWatcher: Sendable {
    let environment: VMEnvironment
    private let asking = Asking()

    init(environment: VMEnvironment) { self.environment = environment }

    /// A running VM with NICs.
    private struct Present: Sendable {
        /// Whether every NIC has an address, and none is kept to those that it is known to have.
        var isKnown: Bool
        /// Whether its agent answers.
        var hasAgent: Bool
    }

    /// Looks until the task is cancelled.
    func run() async {
        var schedule = Schedule()
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            schedule.round += 1
            guard environment.hypervisor.isConnected, let present = try? await running() else { continue }
            for id in schedule.due(present.mapValues(\.isKnown)) where asking.begin(id) {
                schedule.looked(at: id)
                let hasAgent = present[id]?.hasAgent ?? false
                Task {
                    _ = try? await AddressReader(environment: environment).refresh(id, agent: hasAgent)
                    asking.end(id)
                }
            }
        }
    }

    /// Who is looked at when, in rounds of a second: every round for two minutes, then every half minute;
    /// those that are known every minute. Who had to wait stays due.
    struct Schedule {
        var round = 0
        private var looks: [ObjectID: (count: Int, last: Int)] = [:]

        /// Those whose turn it is, the longest waiting first.
        /// - Parameter present: whether all is known of each.
        mutating func due(_ present: [ObjectID: Bool]) -> [ObjectID] {
            looks = looks.filter { present.keys.contains($0.key) }
            return present.filter { isDue($0.key, isKnown: $0.value) }.keys.sorted {
                (looks[$0]?.last ?? 0) < (looks[$1]?.last ?? 0)
            }
        }

        mutating func looked(at id: ObjectID) { looks[id] = ((looks[id]?.count ?? 0) + 1, round) }

        private func isDue(_ id: ObjectID, isKnown: Bool) -> Bool {
            guard let look = looks[id] else { return true }
            let pause = isKnown ? 60 : look.count < 120 ? 1 : 30
            return round - look.last >= pause
        }
    }

    private func running() async throws -> [ObjectID: Present] {
        try await environment.inventory.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT id, document ->> '$.agent.state' = 'up' AS agent, NOT EXISTS (
                        SELECT 1 FROM json_each(document, '$.nics')
                        WHERE coalesce(json_array_length(value, '$.addresses'), 0) = 0
                            OR value ->> '$.antiSpoofing') AS known
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
