// SPDX-License-Identifier: Apache-2.0
import HostNet
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// When rules are changed in parts and when they are written as a whole, with a table that notes what it is
/// told.
@Suite struct FirewallChangeTests {
    private final class Kernel: PacketTable {
        struct State {
            var texts: [String] = []
            var (generation, writes, changes): (UInt32, Int, Int) = (7, 0, 0)
            /// Whether somebody else changes something at the same moment.
            var isDisturbed = false
            var refuses = false
            /// Whether what is there cannot be read.
            var isMute = false
        }
        let state = Mutex(State())

        func replace(with body: String?) {
            state.withLock { state in
                state.texts = body.map { [$0] } ?? []
                (state.generation, state.writes) = (state.generation + 1, state.writes + 1)
            }
        }
        func change(_ edits: [NftablesTable.Edit]) throws {
            try state.withLock { state in
                if state.refuses {
                    throw HostNetError(call: "change", errno: 2, message: "no such chain", isOfRules: true)
                }
                state.texts.append(NftablesTable(family: "inet", name: "t").script(for: edits))
                state.generation += state.isDisturbed ? 2 : 1
                state.changes += 1
            }
        }
        func read() throws -> String? {
            try state.withLock { state in
                if state.isMute {
                    throw HostNetError(call: "read", errno: 4, message: "interrupted", isOfRules: true)
                }
                return state.texts.isEmpty ? nil : state.texts.joined(separator: "\n")
            }
        }
        func generation() -> UInt32? { state.withLock { $0.generation } }

        /// Somebody changes rules of his own.
        func elsewhere() { state.withLock { $0.generation += 1 } }
        /// Somebody changes ours.
        func spoil() {
            state.withLock { state in
                state.texts.append("spoiled")
                state.generation += 1
            }
        }
        var counts: [Int] { state.withLock { [$0.writes, $0.changes] } }
        var last: String { state.withLock { $0.texts.last ?? "" } }
    }

    private let (bench, core): (Bench, Core)
    private let kernel = Kernel()
    private let firewall: Firewall

    init() async throws {
        bench = try await Bench()
        core = try await bench.core()
        try await core.environment.watcher.resync()
        firewall = Firewall(inventory: core.inventory, table: kernel, logger: core.environment.logger)
        try await add("first", 1)
    }

    private func add(_ name: String, _ number: Int) async throws {
        var create = NetworkCreate(name: try Name(name), model: .nat)
        create.subnet = .subnet(try Subnet(checking: "10.99.\(number).0/24"))
        _ = try await core.networks.create(create, bench.context("network.create"))
        await core.engine.idle()
        try await firewall.ensure()
    }

    private func remove(_ name: String) async throws {
        _ = try await core.networks.delete(.name(name), bench.context("network.delete"))
        await core.engine.idle()
        try await firewall.ensure()
    }

    @Test func aNetworkIsWrittenAlone() async throws {
        #expect(kernel.counts == [1, 0], "the first makes the table")
        try await add("second", 2)
        #expect(kernel.counts == [1, 1])
        #expect(kernel.last.contains("10.99.2.0") && !kernel.last.contains("10.99.1.0"))
        try await firewall.ensure()
        #expect(kernel.counts == [1, 1])
        try await remove("second")
        #expect(kernel.counts == [1, 2])
        #expect(kernel.last.contains("10.99.2.0") && !kernel.last.contains("10.99.1.0"))
        try await remove("first")
        #expect(try kernel.read() == nil)
        try core.inventory.close()
    }

    @Test func othersChangesAreTold() async throws {
        kernel.elsewhere()
        try await firewall.ensure()
        try await add("second", 2)
        #expect(kernel.counts == [1, 1], "who changes his own rules changes nothing")
        kernel.elsewhere()
        try await firewall.ensure()
        #expect(kernel.counts == [2, 1], "nobody knows how the kernel spells it")
        try await add("third", 3)
        await firewall.spell()
        kernel.elsewhere()
        try await firewall.ensure()
        #expect(kernel.counts == [2, 2])
        kernel.spoil()
        try await firewall.ensure()
        #expect(try kernel.counts == [3, 2] && kernel.read()?.contains("spoiled") == false)
        kernel.spoil()
        try await add("fourth", 4)
        #expect(try kernel.counts == [4, 2] && kernel.read()?.contains("spoiled") == false)
        try core.inventory.close()
    }

    /// What was spoiled before it was known is not taken for ours.
    @Test func whatOthersSpoiledIsNotLearned() async throws {
        try await add("second", 2)
        kernel.spoil()
        await firewall.spell()
        try await firewall.ensure()
        #expect(try kernel.counts == [2, 1] && kernel.read()?.contains("spoiled") == false)
        try core.inventory.close()
    }

    @Test func whoComesBetweenIsOverwritten() async throws {
        kernel.state.withLock { $0.isDisturbed = true }
        try await add("second", 2)
        #expect(kernel.counts == [2, 1])
        kernel.state.withLock { ($0.isDisturbed, $0.refuses) = (false, true) }
        try await add("third", 3)
        #expect(kernel.counts == [3, 1])
        #expect(try kernel.read()?.contains("10.99.3.0") == true)
        try core.inventory.close()
    }

    /// What was written before the failure is not what was there before.
    @Test func whatFailedHalfWayIsNotBelieved() async throws {
        kernel.state.withLock { ($0.isDisturbed, $0.isMute) = (true, true) }
        await #expect(throws: HostNetError.self) { try await add("second", 2) }
        kernel.state.withLock { ($0.isDisturbed, $0.isMute) = (false, false) }
        #expect(try kernel.read()?.contains("10.99.2.0") == true)
        _ = try await core.networks.delete(.name("second"), bench.context("network.delete"))
        await core.engine.idle()
        try await firewall.ensure(asksKernel: false)
        #expect(try kernel.read()?.contains("10.99.2.0") == false)
        try core.inventory.close()
    }

    @Test func aNewDaemonWritesAllOfIt() async throws {
        try await add("second", 2)
        let next = Firewall(inventory: core.inventory, table: kernel, logger: core.environment.logger)
        try await next.ensure()
        #expect(kernel.counts == [2, 1])
        try core.inventory.close()
    }

    @Test func whetherRulesAreIntactIsSeen() async throws {
        let rows = try await core.inventory.read { try NetworkStore.all($0).map { try $0.value() } }
        let network = try #require(rows.first { $0.name == "first" })
        #expect(await firewall.isIntact(for: network) == true)
        kernel.spoil()
        #expect(await firewall.isIntact(for: network) == false)
        try await firewall.ensure()
        try await add("second", 2)
        kernel.elsewhere()
        #expect(await firewall.isIntact(for: network) == true)
        kernel.spoil()
        #expect(await firewall.isIntact(for: network) == false)
        try core.inventory.close()
    }
}
