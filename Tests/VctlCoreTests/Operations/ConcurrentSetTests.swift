// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

/// Changes of one VM that come at once.
struct ConcurrentSetTests {
    private func made(_ bench: Bench) async throws -> Core {
        let core = try await bench.core()
        try await bench.make("web", on: core)
        return core
    }

    @Test func noLabelIsLost() async throws {
        let bench = try await Bench()
        let core = try await made(bench)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    var patch = VMPatch()
                    patch.labels = ["k\(number)": "v"]
                    _ = try await core.vms.set(.name("web"), patch, bench.context("vm.set"))
                }
            }
            try await group.waitForAll()
        }
        let labels = try await core.vms.row(.name("web")).value().labels
        #expect(labels.keys.sorted() == (0..<20).map { "k\($0)" }.sorted())
        try core.inventory.close()
    }

    @Test func oneOfThoseThatSawTheSameWins() async throws {
        let bench = try await Bench()
        let core = try await made(bench)
        var context = bench.context("vm.set")
        context.ifMatch = try await core.vms.row(.name("web")).etag
        let outcomes = await withTaskGroup(of: ErrorCode?.self) { [context] group in
            for number in 0..<8 {
                group.addTask {
                    var patch = VMPatch()
                    patch.labels = ["winner": "\(number)"]
                    do {
                        _ = try await core.vms.set(.name("web"), patch, context)
                        return nil
                    } catch {
                        return Problem(describing: error).errorCode
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == nil } == 1)
        #expect(outcomes.count { $0 == .revisionStale } == 7)
        try core.inventory.close()
    }
}
