// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

struct RescueTests {
    private let bench: Bench
    private let core: Core
    private let id: ObjectID

    init() async throws {
        bench = try await Bench()
        core = try await bench.core()
        id = try await bench.make("web", on: core)
    }

    private var vm: VM { get async throws { try await core.vms.row(.id(id)).value() } }
    private var file: String { core.state.rescueDisk(id) }

    private func saved() async throws -> String {
        try await bench.hypervisor.connection().domain(uuid: id.uuid).xml(.inactive)
    }

    private func start(_ change: (inout VMStart) -> Void) async throws {
        var start = VMStart()
        change(&start)
        let operation = try await core.vms.start(.id(id), start, bench.context("vm.start")).operationID
        await core.engine.idle()
        let ended = try await core.operations.get(.id(operation))
        try #require(ended.status == .succeeded, "\(String(describing: ended.error))")
    }

    @Test func theSavedDefinitionStaysAndTheNextStartIsTheOwnOne() async throws {
        let before = try await saved()
        try await start { $0.rescueImage = .name("base") }
        var now = try await vm
        #expect(now.state == .running && now.rescue == "base")
        #expect(now.disks.contains { $0.path == file } && now.pending != nil)
        #expect(FileManager.default.fileExists(atPath: file))
        #expect(try await saved() == before)

        var stop = VMStop()
        stop.force = true
        _ = try await core.vms.stop(.id(id), stop, bench.context("vm.stop"))
        await core.engine.idle()
        #expect(!FileManager.default.fileExists(atPath: file))
        try await start { _ in }
        now = try await vm
        #expect(now.state == .running && now.rescue == nil && now.pending == nil)
        #expect(try await saved() == before)
        try core.inventory.close()
    }

    @Test func whatOthersStopIsTidiedByTheNextDaemon() async throws {
        try await start { $0.rescueImage = .name("base") }
        try core.inventory.close()
        try await bench.hypervisor.connection().domain(uuid: id.uuid).destroy()
        #expect(FileManager.default.fileExists(atPath: file))
        let next = try await bench.core()
        try await next.environment.watcher.resync()
        #expect(!FileManager.default.fileExists(atPath: file))
        try next.inventory.close()
    }

    @Test func aRunningVMAndWrongSourcesAreRefused() async throws {
        func refusal(_ change: @Sendable (inout VMStart) -> Void) async -> ErrorCode? {
            var start = VMStart()
            change(&start)
            do {
                _ = try await core.vms.start(.id(id), start, bench.context("vm.start"))
                return nil
            } catch {
                return (error as? Problem)?.errorCode
            }
        }
        #expect(await refusal { $0.rescueImage = .name("none") } == .imageNotFound)
        #expect(await refusal { $0.rescueISO = "/nonexistent.iso" } == .pathNotFound)
        #expect(await refusal { $0.rescueISO = "/etc/passwd" } == .pathForbidden)
        #expect(
            await refusal { ($0.rescueISO, $0.rescueImage) = ("/x", .name("base")) } == .requestInvalid)
        try await start { _ in }
        #expect(await refusal { $0.rescueImage = .name("base") } == .vmState)
        try core.inventory.close()
    }

    /// What is booted first is the rescue; everything else moves back, and a kernel of the host's is out.
    @Test func theRescueComesFirst() throws {
        var plan = PlanSamples.all.first { $0.name == "many" }!.plan
        plan.boot = .init(kernel: "/k", initrd: "/i", cmdline: "c")
        let before = plan.domainXML()
        let rescue = RescueBoot(
            what: "/x.iso", disk: .cdrom(path: "/x.iso", target: "sdz", serial: "rescue", bootOrder: 1))
        let domain = rescue.definition(of: before)
        #expect(domain.osKernel == nil && domain.osInitrd == nil && domain.osCmdline == nil)
        #expect(domain.disks.first { $0.targetDev == "sdz" }?.bootOrder == 1)
        let orders = before.disks.compactMap { disk in disk.bootOrder.map { (disk.targetDev, $0) } }
        #expect(!orders.isEmpty)
        for (target, order) in orders {
            #expect(domain.disks.first { $0.targetDev == target }?.bootOrder == order + 1)
        }
        #expect(RescueBoot.source(of: domain) == "/x.iso" && RescueBoot.source(of: before) == nil)
        #expect(Mark(in: domain) == plan.mark)
    }
}
