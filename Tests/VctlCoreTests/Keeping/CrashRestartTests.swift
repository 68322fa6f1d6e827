// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// VMs that crash, as libvirt would tell it; its test driver runs them, and only the reason is put in.
struct CrashRestartTests {
    private let bench: Bench
    private let core: Core
    private let keeper: CrashRestart
    private let id: ObjectID

    init() async throws {
        bench = try await Bench()
        core = try await bench.core()
        keeper = CrashRestart(
            vms: core.vms, limits: CrashLimits(restarts: 2, windowSeconds: 600, pauseSeconds: 4))
        id = try await bench.make("web", on: core) { ($0.start, $0.onCrash) = (nil, .restart) }
    }

    private var vm: VM { get async throws { try await core.vms.row(.id(id)).value() } }
    private var state: VMState { get async throws { try await vm.state } }
    private var reason: StateReason? { get async throws { try await vm.stateReason } }

    private func crash() async throws {
        try await bench.hypervisor.connection().domain(uuid: id.uuid).destroy()
        let record = try #require(
            try await bench.hypervisor.connection().domainRecord(uuid: id.uuid))
        var vm = DomainProjection(DomainView(record), instance: core.state.instance, observedAt: .now).vm
        (vm.state, vm.stateReason) = (.stopped, .crashed)
        let crashed = vm
        core.inventory.readings.supersede(id)
        try await core.inventory.write { try $0.observe(crashed) }
    }

    private func later(_ seconds: Int) -> Timestamp {
        Timestamp(milliseconds: Timestamp.now.milliseconds + Int64(seconds) * 1000)
    }

    /// Lets it be started again, whatever the pause.
    private func restart() async throws {
        _ = try await keeper.turn(now: .now)
        _ = try await keeper.turn(now: later(400))
        await core.engine.idle()
    }

    private func types() async throws -> [String] {
        try await core.events.page(after: 0, limit: 10_000).map(\.type)
    }

    @Test func aCrashedVMIsStartedAfterAPause() async throws {
        try await crash()
        #expect(try await reason == .crashed)
        let due = try #require(try await keeper.turn(now: .now))
        #expect(try await reason == .restarting)
        #expect(due > later(2) && due <= later(4))
        _ = try await keeper.turn(now: .now)
        await core.engine.idle()
        #expect(try await state == .stopped, "not before its pause has passed")
        _ = try await keeper.turn(now: due)
        await core.engine.idle()
        #expect(try await state == .running)
        #expect(try await reason == .restarted)
        let operations = try await core.operations.list(ListQuery()).json
        #expect(operations.contains("\"user\":\"vctld\""))
        let types = try await types()
        #expect(types.contains("vm.crashed") && types.contains("vm.restarting"))
    }

    @Test func pausesGrowAndEnd() {
        let limits = CrashLimits(restarts: 100, windowSeconds: 600, pauseSeconds: 2)
        #expect((1...9).map { limits.pause(before: $0) } == [2, 4, 8, 16, 32, 64, 128, 256, 300])
        #expect(limits.pause(before: 1000) == 300)
        #expect(CrashLimits(pauseSeconds: 0).pause(before: 7) == 0)
    }

    @Test func itIsGivenUpAndSaid() async throws {
        for _ in 0..<2 {
            try await crash()
            try await restart()
            #expect(try await state == .running)
        }
        try await crash()
        try await restart()
        #expect(try await state == .stopped)
        #expect(try await reason == .crashLoop)
        #expect(try await core.warnings.list(ListQuery()).json.contains("crashed 3 times within 10 min"))
        #expect(try await types().contains("vm.crashLoop"))

        _ = try await core.vms.start(.id(id), VMStart(), bench.context("vm.start"))
        await core.engine.idle()
        #expect(try await state == .running)
        #expect(try await core.warnings.list(ListQuery()).json == "[]")
        try await crash()
        try await restart()
        #expect(try await state == .running, "a start by somebody lets the count begin anew")
    }

    @Test func oldCrashesCountNoMore() {
        let limits = CrashLimits(restarts: 1, windowSeconds: 10, pauseSeconds: 1)
        let now = Timestamp(milliseconds: 1_000_000)
        let ago = { (seconds: Int64) in Timestamp(milliseconds: now.milliseconds - seconds * 1000) }
        var record = CrashRecord(phase: .noted, times: [ago(60), ago(11), now])
        record.decide(limits, now: now)
        #expect(record.phase == .waiting && record.times == [now])
        record = CrashRecord(phase: .noted, times: [ago(9), now])
        record.decide(limits, now: now)
        #expect(record.phase == .gaveUp)
    }

    @Test func whatSomebodyStopsStaysOff() async throws {
        try await crash()
        _ = try await keeper.turn(now: .now)
        var stop = VMStop()
        stop.force = true
        _ = try await core.vms.stop(.id(id), stop, bench.context("vm.stop"))
        await core.engine.idle()
        _ = try await keeper.turn(now: later(400))
        await core.engine.idle()
        #expect(try await state == .stopped)
        #expect(try await reason != .restarting)
        #expect(try await core.inventory.read { try CrashStore.all($0).isEmpty })
    }

    @Test func anOrdinaryStopIsNoCrash() async throws {
        try await bench.hypervisor.connection().domain(uuid: id.uuid).destroy()
        try await core.environment.observe(id)
        #expect(try await state == .stopped)
        #expect(try await keeper.turn(now: .now) == nil)
        #expect(try await core.inventory.read { try CrashStore.all($0).isEmpty })
    }

    @Test func aPolicyThatIsTakenBackCounts() async throws {
        try await crash()
        _ = try await keeper.turn(now: .now)
        var patch = VMPatch()
        patch.onCrash = .stop
        _ = try await core.vms.set(.id(id), patch, bench.context("vm.set"))
        _ = try await keeper.turn(now: later(400))
        await core.engine.idle()
        #expect(try await state == .stopped)
    }

    /// A start that fails is as a crash: tried again, and not without end.
    @Test func whatDoesNotStartIsGivenUp() async throws {
        try await crash()
        _ = try await keeper.turn(now: .now)
        _ = try await keeper.turn(now: later(400))
        await core.engine.idle()
        // It ran for so short a time that nobody saw it.
        try await bench.hypervisor.connection().domain(uuid: id.uuid).destroy()
        try await core.inventory.write { [id] (transaction: Transaction) throws in
            var record = CrashRecord(phase: .waiting, times: [.now], due: .now)
            record.isAsked = true
            try transaction.execute("UPDATE vm SET document = json_set(document, '$.state', 'stopped')")
            try transaction.execute("UPDATE vm SET state = 'stopped'")
            try transaction.store(record, of: id)
        }
        _ = try await keeper.turn(now: later(1))
        let record = try await core.inventory.read { [id] in try CrashStore.find($0, id) }
        #expect(record?.phase == .waiting && record?.times.count == 2)
    }

    @Test func aDaemonThatWasAwaySeesTheCrash() async throws {
        try await crash()
        try core.inventory.close()
        let next = try await bench.core()
        let keeper = CrashRestart(vms: next.vms, limits: CrashLimits(pauseSeconds: 0))
        _ = try await keeper.turn(now: .now)
        _ = try await keeper.turn(now: later(1))
        await next.engine.idle()
        #expect(try await next.vms.row(.id(id)).value().state == .running)
        try next.inventory.close()
    }
}
