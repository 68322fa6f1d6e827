// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Testing
import VctlAPI

@testable import VctlCore

/// What becomes of requests for TAPs, over links that are nowhere but in the test.
@Suite struct TAPTests {
    private func made(_ bench: Bench, _ core: Core, _ name: String = "lab0") async throws {
        let accepted = try await core.taps.create(
            TAPCreate(name: try LinkName(name)), bench.context("tap.create"))
        await core.engine.idle()
        let status = try await core.operations.get(.id(try accepted.operationID)).status
        #expect(status == .succeeded)
    }

    private func taps(_ core: Core) async throws -> [TAP] {
        try JSON.value([TAP].self, try await core.taps.list(ListQuery()).json)
    }

    private func refusal(_ body: () async throws -> Accepted) async -> Problem? {
        await #expect(throws: Problem.self) { _ = try await body() }
    }

    @Test func aTAPThatIsOpenIsNotDeleted() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await made(bench, core)
        bench.links.open("lab0")
        let problem = await refusal {
            try await core.taps.delete(.name("lab0"), bench.context("tap.delete"))
        }
        #expect(problem?.errorCode == .tapInUse && problem?.hint?.contains("--force") == true)
        var context = bench.context("tap.delete")
        context.force = true
        _ = try await core.taps.delete(.name("lab0"), context)
        await core.engine.idle()
        #expect(try await taps(core).isEmpty)
    }

    @Test func whatOthersMadeIsShownAndStays() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try bench.links.add(Link(index: 0, name: "theirs", kind: .tap))
        #expect(try await taps(core).map(\.managed) == [false])
        let problem = await refusal {
            try await core.taps.delete(.name("theirs"), bench.context("tap.delete"))
        }
        #expect(problem?.errorCode == .tapForeign)
        let taken = await refusal {
            try await core.taps.create(TAPCreate(name: try LinkName("theirs")), bench.context("tap.create"))
        }
        #expect(taken?.errorCode == .linkExists)
        #expect(bench.links.lines.contains { $0.hasPrefix("link theirs") })
    }

    @Test func badRequestsChangeNothing() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let before = bench.links.lines
        var create = TAPCreate(name: try LinkName("lab0"))
        create.owner = "nobody-of-that-name"
        create.queues = 257
        let invalid = await refusal { try await core.taps.create(create, bench.context("tap.create")) }
        #expect(invalid?.errors?.map(\.field) == ["queues", "owner"])
        create = TAPCreate(name: try LinkName("lab0"))
        create.bridge = try LinkName("br8")
        let missing = await refusal { try await core.taps.create(create, bench.context("tap.create")) }
        #expect(missing?.errorCode == .bridgeNotFound)
        #expect(bench.links.lines == before)
        #expect(try await taps(core).isEmpty)
    }

    /// As after a reboot: the kernel has none of them any more.
    @Test func theNextStartMakesThemAgain() async throws {
        let bench = try await Bench()
        let first = try await bench.core()
        try await made(bench, first)
        let before = bench.links.lines
        for link in try await bench.links.all() where link.kind == .tap {
            try await bench.links.delete(link.index)
        }
        #expect(try await taps(first).map(\.state) == [.missing])
        try first.inventory.close()
        let second = try await bench.core()
        try await LinkKeeping(environment: second.environment).run()
        #expect(bench.links.lines == before)
        #expect(try await taps(second).map(\.state) == [.present])
    }

    @Test func aLostInventoryComesBack() async throws {
        let bench = try await Bench()
        let first = try await bench.core()
        try await made(bench, first)
        let before = try await taps(first)
        try first.inventory.close()
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: "\(bench.state)/inventory.sqlite\(suffix)")
        }
        let second = try await bench.core()
        #expect(try await taps(second) == before)
    }

    /// The name was free when it was asked for.
    @Test func aNameThatWasTakenMeanwhileLeavesNothing() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let tap = try KeptTAP(TAPCreate(name: try LinkName("lab0")))
        try bench.links.add(Link(index: 0, name: "lab0", kind: .other("veth")))
        let before = bench.links.lines
        let maker = TAPMaker(core.environment)
        await #expect(throws: Problem.self) { try await maker.ensure(tap) }
        try await maker.links.remove(tap.id)
        #expect(bench.links.lines == before)
    }
}
