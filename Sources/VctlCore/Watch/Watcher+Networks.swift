// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import Synchronization
import VctlAPI

extension Watcher {
    /// Reads every network and makes the inventory equal to them, in one commit.
    func resyncNetworks() async throws {
        let reading = inventory.readings.begin()
        let records = try await hypervisor.connection().networkRecords()
        let time = Timestamp.now
        let found = records.map { NetworkProjection.network($0, inventory.instance, observedAt: time) }
        try await inventory.write { [inventory] transaction in
            let present = Set(found.map(\.id))
            for row in try NetworkStore.all(transaction.db) where !present.contains(row.id) {
                guard inventory.readings.isNewest(reading, of: row.id) else { continue }
                try transaction.vanishedNetwork(row.id)
            }
            for network in found where inventory.readings.isNewest(reading, of: network.id) {
                try transaction.store(network)
            }
        }
        await networksRead.withLock { $0 }?()
    }

    /// Reads one network again.
    func refreshNetwork(_ id: ObjectID) async throws {
        let reading = inventory.readings.begin()
        let record = try await record(id)
        let time = Timestamp.now
        let network = record.map { NetworkProjection.network($0, inventory.instance, observedAt: time) }
        try await inventory.write { [inventory] transaction in
            guard inventory.readings.isNewest(reading, of: id) else { return }
            if let network { try transaction.store(network) } else { try transaction.vanishedNetwork(id) }
        }
        await networksRead.withLock { $0 }?()
    }

    private func record(_ id: ObjectID) async throws -> ObjectRecord? {
        do {
            return try await hypervisor.network(id)?.record()
        } catch let error as LibvirtError where error.code == .noNetwork {
            return nil
        }
    }
}
