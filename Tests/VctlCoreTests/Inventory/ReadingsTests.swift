// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Testing
import VctlAPI

@testable import VctlCore

/// Readings of libvirt that are overtaken by what happens here.
struct ReadingsTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/vctl-\(UUID().uuidString)"
    private let inventory: Inventory
    private let vm = VM(
        id: ObjectID(), name: "web1", state: .stopped, cpus: 1, memoryBytes: 1 << 20, managed: true,
        observedAt: .now)

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        inventory = try Inventory(path: "\(folder)/inventory.sqlite", instance: ObjectID())
    }

    @Test func aReadingOnItsWayDoesNotBringBackWhatWasDeleted() async throws {
        let late = inventory.readings.begin()
        try await inventory.write { [vm] in try $0.observe(vm) }
        try await inventory.write { [vm] in try $0.removeVM(vm.id, origin: .vctl) }
        try await read(late, [vm])
        #expect(try await names() == [])
        try await read(inventory.readings.begin(), [vm])
        #expect(try await names() == ["web1"])
        try inventory.close()
        try FileManager.default.removeItem(atPath: folder)
    }

    private func read(_ reading: UInt64, _ vms: [VM]) async throws {
        try await inventory.write { [inventory] transaction in
            try transaction.replaceAll(
                with: vms, at: .now, where: { inventory.readings.isNewest(reading, of: $0) },
                gone: { _ = try transaction.vanished($0, at: .now) })
        }
    }

    private func names() async throws -> [String] {
        try await inventory.read { try String.fetchAll($0, sql: "SELECT name FROM vm ORDER BY name") }
    }
}
