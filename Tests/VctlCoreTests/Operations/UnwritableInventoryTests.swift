// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// An inventory that cannot be written for a while, as on a full disk.
struct UnwritableInventoryTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/vctl-\(UUID().uuidString)"

    /// However soon it can be written again: a failure of the journal is none of the operation.
    @Test(arguments: [0, 1, 2, 5, 300]) func anOperationGoesOnOnceItsJournalCanBeWrittenAgain(
        _ pause: Int
    ) async throws {
        let pool = Mutex<DatabasePool?>(nil)
        let house = try ImageHarness(folder) { point in
            guard case .afterStep = point, let writer = pool.withLock({ $0.take() }) else { return false }
            try? writer.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 1") }
            Task {
                try await Task.sleep(for: .milliseconds(pause))
                try await writer.writeWithoutTransaction { try $0.execute(sql: "PRAGMA query_only = 0") }
            }
            return false
        }
        pool.withLock { $0 = house.inventory.pool }
        let operation = try await house.upload("one", [UInt8](repeating: 7, count: 1 << 20)) {
            $0.sourceFormat = .raw
        }
        #expect(pool.withLock { $0 == nil }, "the inventory was made unwritable")
        #expect(operation.status == .succeeded, "\(String(describing: operation.error))")
        #expect(try await house.images.get(.name("one")).state == .ready)
        try FileManager.default.removeItem(atPath: folder)
    }
}
