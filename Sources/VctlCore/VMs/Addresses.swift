// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import Logging
import Synchronization
import VctlAPI

/// Finds the addresses of running guests: from DHCP leases, and from the agent where there is no lease.
struct AddressReader: Sendable {
    let environment: VMEnvironment

    /// Asks, and stores what is new. Returns the VM as it is known then.
    @discardableResult
    func refresh(_ id: ObjectID) async throws -> VM? {
        guard let domain = try await environment.hypervisor.domain(id), try await domain.isActive() else {
            return nil
        }
        var found = try await read(domain, .lease)
        if found.isEmpty {
            found = await GuestAddresses.read(
                environment.agent(of: .init(kind: .vm, id: id, name: domain.name), seconds: 5))
        }
        let addresses = found
        return try await environment.inventory.write { transaction -> VM? in
            guard let row = try VMStore.find(transaction.db, .id(id)) else { return nil }
            var vm = try row.value()
            for index in vm.nics.indices { vm.nics[index].addresses = addresses[vm.nics[index].mac] ?? [] }
            try transaction.store(vm)
            return vm
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
/// all.
struct AddressWatcher: Sendable {
    let environment: VMEnvironment

    /// Looks until the task is cancelled.
    func run() async {
        var tries: [ObjectID: Int] = [:]
        var round = 0
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            round += 1
            guard environment.hypervisor.isConnected, let due = try? await running() else { continue }
            tries = tries.filter { due.keys.contains($0.key) }
            for (id, hasAddress) in due where Self.isDue(hasAddress, tries[id, default: 0], round) {
                tries[id, default: 0] += 1
                _ = try? await AddressReader(environment: environment).refresh(id)
            }
        }
    }

    /// Every second for two minutes, then every half minute; known ones every minute.
    private static func isDue(_ hasAddress: Bool, _ tries: Int, _ round: Int) -> Bool {
        if hasAddress { return round % 60 == 0 }
        return tries < 120 || round % 30 == 0
    }

    /// Running VMs with NICs, and whether they have an address.
    private func running() async throws -> [ObjectID: Bool] {
        try await environment.inventory.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT id, document LIKE '%"address":%' AS known FROM vm
                    WHERE state = 'running' AND document ->> '$.nics[0].mac' IS NOT NULL
                    """)
            var result: [ObjectID: Bool] = [:]
            for row in try Row.fetchAll(statement) {
                ObjectID(row["id"] as String).map { result[$0] = row["known"] }
            }
            return result
        }
    }
}
