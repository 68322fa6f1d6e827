// SPDX-License-Identifier: Apache-2.0
import HostNet
import Testing
import VctlAPI

@testable import VctlCore

/// What becomes of requests for bridges, over links that are nowhere but in the test.
@Suite struct BridgeTests {
    private func made(_ core: Core, _ bench: Bench, _ change: (inout BridgeCreate) throws -> Void)
        async throws
    {
        var create = BridgeCreate(name: try LinkName("lan0"))
        try change(&create)
        let accepted = try await core.bridges.create(create, bench.context("bridge.create"))
        await core.engine.idle()
        let operation = try await core.operations.get(.id(try accepted.operationID))
        if let problem = operation.error { throw problem }
    }

    private func bridge(_ core: Core, _ name: String = "lan0") async throws -> Bridge {
        try JSON.value(Bridge.self, try await core.bridges.show(.name(name)).json)
    }

    private func code(_ body: () async throws -> Void) async -> ErrorCode? {
        let problem = await #expect(throws: Problem.self) { try await body() }
        return problem?.errorCode
    }

    @Test func aBridgeWithPortsOfOthersStays() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try bench.links.add(Link(index: 0, name: "card0", kind: .other(nil)))
        try await made(core, bench) { $0.ports = [try LinkName("card0")] }
        let own = try #require(try await bench.links.all().first { $0.name == "lan0" })
        var guest = Link(index: 0, name: "vnet7", kind: .tap)
        guest.master = own.index
        try bench.links.add(guest)
        #expect(try await bridge(core).ports == ["card0", "vnet7"])
        let problem = await #expect(throws: Problem.self) {
            try await core.bridges.delete(.name("lan0"), bench.context("bridge.delete"))
        }
        #expect(problem?.errorCode == .bridgeInUse && problem?.detail.contains("vnet7") == true)
        #expect(problem?.detail.contains("card0") == false)
    }

    /// As after a boot at which a card is late, and with a TAP that somebody has put elsewhere.
    @Test func whatIsMissingIsMadeOnceItCanBe() async throws {
        let bench = try await Bench()
        let first = try await bench.core()
        try bench.links.add(Link(index: 0, name: "card0", kind: .other(nil)))
        try bench.links.add(Link(index: 0, name: "card1", kind: .other(nil)))
        try await made(first, bench) {
            $0.ports = [try LinkName("card0"), try LinkName("card1")]
            $0.addresses = [try LinkAddress("10.20.0.1/24")]
        }
        var create = TAPCreate(name: try LinkName("tap0"))
        create.bridge = try LinkName("lan0")
        _ = try await first.taps.create(create, bench.context("tap.create"))
        await first.engine.idle()
        let before = bench.links.lines
        for name in ["card0", "lan0"] {
            let link = try #require(try await bench.links.all().first { $0.name == name })
            try await bench.links.delete(link.index)
        }
        let (tap, other) = (
            try #require(try await bench.links.all().first { $0.name == "tap0" }),
            try #require(try await bench.links.all().first { $0.name == "br7" })
        )
        var change = LinkChange()
        change.master = other.index
        try await bench.links.change(tap.index, change)
        try first.inventory.close()
        let second = try await bench.core()
        let keeping = LinkKeeping(environment: second.environment)
        try await keeping.run()
        #expect(try await bridge(second).ports == ["card1"])
        #expect(
            try await bridge(second).problems == ["the host has no link card0, which is to be a port of it"])
        let lacks = try await KeptBridgeFindings(
            lacks: { try await BridgeLacks(environment: second.environment).all() }
        ).notes()
        #expect(lacks.map(\.status) == [.warning] && lacks[0].message.contains("lan0: the host has no link"))
        try bench.links.add(Link(index: 0, name: "card0", kind: .other(nil)))
        let loop = Task { await keeping.keep() }
        defer { loop.cancel() }
        while try await bridge(second).problems != [] { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await bridge(second).ports == ["card0", "card1"])
        #expect(try await bench.links.all().first { $0.name == "tap0" }?.master == other.index)
        #expect(bench.links.lines == before)
    }

    @Test func portsThatAreNoneAreRefused() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let before = bench.links.lines
        #expect(
            await code { try await made(core, bench) { $0.ports = [try LinkName("card0")] } } == .linkNotFound
        )
        #expect(
            await code { try await made(core, bench) { $0.ports = [try LinkName("br7")] } } == .requestInvalid
        )
        #expect(bench.links.lines == before)
        var card = Link(index: 0, name: "card0", kind: .other(nil))
        card.master = try await bench.links.all().first?.index
        try bench.links.add(card)
        #expect(
            await code { try await made(core, bench) { $0.ports = [try LinkName("card0")] } } == .linkInUse)
    }

    @Test func networksDoNotOverlap() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await made(core, bench) { $0.addresses = [try LinkAddress("10.20.0.1/16")] }
        for (name, address, fits) in [
            ("a0", "10.20.9.1/24", false), ("a1", "10.0.0.1/8", false), ("a2", "10.21.0.1/24", true),
        ] {
            var create = BridgeCreate(name: try LinkName(name))
            create.addresses = [try LinkAddress(address)]
            var context = bench.context("bridge.create")
            context.dryRun = true
            if fits {
                _ = try await core.bridges.create(create, context)
            } else {
                let problem = await #expect(throws: Problem.self) {
                    _ = try await core.bridges.create(create, context)
                }
                #expect(problem?.detail.contains("10.20.0.1/16 of lan0") == true, "\(address)")
            }
        }
    }

    @Test func foreignBridgesAreShownAndStay() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try bench.links.add(Link(index: 0, name: "docker0", kind: .bridge))
        #expect(try await bridge(core, "docker0").origin == .docker)
        #expect(try await bridge(core, "br7").origin == .other)
        for name in ["docker0", "br7"] {
            let refused = await code {
                _ = try await core.bridges.delete(.name(name), bench.context("bridge.delete"))
            }
            #expect(refused == .bridgeForeign)
        }
        var patch = BridgePatch()
        patch.stp = true
        let refused = await code {
            _ = try await core.bridges.set(.name("br7"), patch, bench.context("bridge.set"))
        }
        #expect(refused == .bridgeForeign)
    }
}
