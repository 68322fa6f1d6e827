// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// What starts with the host, and in which order; a boot is another id of it.
struct BootStartTests {
    private let bench: Bench

    init() async throws { bench = try await Bench() }

    private func make(
        _ core: Core, _ name: String, _ change: (inout VMCreate) -> Void = { _ in }
    ) async throws {
        try await bench.make(name, on: core, change)
    }

    private func vm(_ core: Core, _ name: String) async throws -> VM {
        try await core.vms.row(.name(name)).value()
    }

    private func flag(_ name: String) async throws -> Bool {
        try await bench.hypervisor.connection().domain(name: name).autostart()
    }

    private func boot(_ core: Core, _ id: String) async throws {
        try await core.environment.watcher.resync()
        var start = BootStart(vms: core.vms, operations: core.operations)
        (start.boot, start.pause) = (id, .milliseconds(10))
        await start.run()
    }

    private func set(_ core: Core, _ name: String, _ change: (inout VMPatch) -> Void) async throws -> VM {
        var patch = VMPatch()
        change(&patch)
        _ = try await core.vms.set(.name(name), patch, bench.context("vm.set"))
        return try await vm(core, name)
    }

    @Test func whatHasAnOrderIsNotLibvirtsToStart() async throws {
        let core = try await bench.core()
        try await make(core, "a") { ($0.autostart, $0.autostartOrder) = (true, 5) }
        var made = try await vm(core, "a")
        #expect(made.autostart && made.autostartOrder == 5 && made.autostartDelaySeconds == nil)
        #expect(try await !flag("a"))
        made = try await set(core, "a") { $0.autostartDelaySeconds = Removable<Int>(7) }
        #expect(made.autostartOrder == 5 && made.autostartDelaySeconds == 7)
        made = try await set(core, "a") {
            ($0.autostartOrder, $0.autostartDelaySeconds) = (Removable<Int>(nil), Removable<Int>(nil))
        }
        #expect(made.autostart && made.autostartOrder == nil && made.autostartDelaySeconds == nil)
        #expect(try await flag("a"))
        made = try await set(core, "a") { $0.autostartOrder = Removable<Int>(1) }
        #expect(made.autostart)
        #expect(try await !flag("a"))
        made = try await set(core, "a") { $0.autostart = false }
        #expect(!made.autostart && made.autostartOrder == nil)
        #expect(try await !flag("a"))
        try core.inventory.close()
    }

    @Test func aReleasedVMStillStartsWithTheHost() async throws {
        let core = try await bench.core()
        try await make(core, "a") { $0.autostartOrder = 5 }
        _ = try await core.vms.release(.name("a"), bench.context("vm.release"))
        await core.engine.idle()
        #expect(try await flag("a"))
        try core.inventory.close()
    }

    @Test func wrongOnesAreRefusedByName() async throws {
        let core = try await bench.core()
        var patch = VMPatch()
        (patch.autostart, patch.autostartOrder) = (false, Removable<Int>(3))
        patch.autostartDelaySeconds = Removable<Int>(-1)
        let problems = StartRules.problems(patch)
        #expect(problems.map(\.field) == ["autostartOrder", "autostartDelaySeconds"])
        patch.autostart = nil
        #expect(StartRules.problems(patch).map(\.field) == ["autostartDelaySeconds"])
        try core.inventory.close()
    }

    @Test func eachBootStartsThemOnceInTheirOrder() async throws {
        let core = try await bench.core()
        try await make(core, "a") { $0.autostartOrder = 20 }
        try await make(core, "b") { ($0.autostartOrder, $0.autostartDelaySeconds) = (10, 1) }
        try await make(core, "c") { $0.autostartDelaySeconds = 0 }
        try await make(core, "off")
        try await make(core, "theirs") { $0.autostart = true }
        try await boot(core, "first")
        for name in ["a", "b", "c"] { #expect(try await vm(core, name).state == .stopped, "\(name)") }

        try await boot(core, "second")
        #expect(try await started(core) == ["b", "a", "c"])
        #expect(try await vm(core, "off").state == .stopped)
        #expect(try await vm(core, "theirs").state == .stopped)

        var stop = VMStop()
        stop.force = true
        _ = try await core.vms.stop(.name("a"), stop, bench.context("vm.stop"))
        await core.engine.idle()
        try core.inventory.close()
        let next = try await bench.core()
        try await boot(next, "second")
        #expect(try await vm(next, "a").state == .stopped, "a start of the daemon is no boot")
        try await boot(next, "third")
        #expect(try await vm(next, "a").state == .running)
        try next.inventory.close()
    }

    /// A daemon that dies between two of them goes on with the next one, and starts none again.
    @Test func aDaemonThatDiesGoesOn() async throws {
        let core = try await bench.core()
        for name in ["a", "b"] { try await make(core, name) { $0.autostartOrder = 1 } }
        try await boot(core, "first")
        let start = BootStart(vms: core.vms, operations: core.operations)
        try await start.begin("second")
        let queue = try #require(try await core.inventory.read { try BootStore.find($0) })
        #expect(queue.waiting.count == 2)
        let gone = queue.waiting[0]
        try await core.inventory.write { transaction in
            var left = queue
            left.waiting.removeFirst()
            try BootStore.store(left, transaction)
        }
        try core.inventory.close()
        let next = try await bench.core()
        try await boot(next, "second")
        #expect(try await vm(next, "a").id == gone.vm)
        #expect(try await vm(next, "a").state == .stopped)
        #expect(try await vm(next, "b").state == .running)
        try next.inventory.close()
    }

    /// The next one is tried although one cannot be started, and somebody is told.
    @Test func whatCannotBeStartedIsWarnedOf() async throws {
        let core = try await bench.core()
        for name in ["a", "b"] { try await make(core, name) { $0.autostartOrder = 1 } }
        try await boot(core, "first")
        let id = try await vm(core, "a").id
        try await core.environment.watcher.resync()
        try await bench.hypervisor.connection().domain(uuid: id.uuid).undefine()
        var start = BootStart(vms: core.vms, operations: core.operations)
        (start.boot, start.pause) = ("second", .milliseconds(10))
        await start.run()
        #expect(try await vm(core, "b").state == .running)
        let warnings = try await core.warnings.list(ListQuery()).json
        #expect(warnings.contains(BootStart.warning) && warnings.contains("VM a was not started"))
        try core.inventory.close()
    }

    /// The names of VMs in the order in which they started.
    private func started(_ core: Core) async throws -> [String] {
        try await core.events.page(after: 0, limit: 10_000).filter { $0.type == "vm.started" }
            .compactMap(\.subject?.name)
    }
}
