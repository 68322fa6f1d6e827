// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// What a volume reads from stays, whatever becomes of the volume's pool and of the inventory.
@Suite struct PoolLinkTests {
    /// A volume `fast/base`, and `other/top` that reads from it.
    private func prepare() async throws -> PoolBench {
        let test = try await PoolBench()
        for pool in ["fast", "other"] { try await test.make(pool) }
        try await test.add("fast", try test.volume("base"))
        try await test.link("fast", "base", to: "other")
        return test
    }

    private func baseStays(_ test: PoolBench) async throws {
        let problem = await test.refused(.volumeInUse) {
            try await test.core.pools.deleteVolume(.name("fast"), "base", test.context("volume.delete"))
        }
        #expect(problem?.detail.contains("/top") == true, "\(problem?.detail ?? "")")
        #expect(FileManager.default.fileExists(atPath: "\(test.bench.folders)/fast/base"))
    }

    private func baseGoes(_ test: PoolBench) async throws {
        try await test.ended(
            try await test.core.pools.deleteVolume(.name("fast"), "base", test.context("volume.delete")))
        #expect(!FileManager.default.fileExists(atPath: "\(test.bench.folders)/fast/base"))
    }

    @Test func aPoolThatReadsFromAnotherIsNotForgotten() async throws {
        let test = try await prepare()
        let problem = await test.refused(.poolInUse) {
            try await test.core.pools.delete(
                .name("other"), withData: false, test.context("pool.delete"))
        }
        #expect(problem?.detail.contains("other/top") == true, "\(problem?.detail ?? "")")
        try await test.unmount("other")
        await test.refused(.poolInUse) {
            try await test.core.pools.delete(
                .name("other"), withData: false, test.context("pool.delete"))
        }
        try await baseStays(test)
        try await test.ended(
            try await test.core.pools.delete(.name("other"), withData: false, test.forced("pool.delete")))
        try await baseGoes(test)
        try test.close()
    }

    @Test func aLinkThatCameMeanwhileKeepsThePool() async throws {
        let test = try await PoolBench()
        for pool in ["fast", "other"] { try await test.make(pool) }
        try await test.add("fast", try test.volume("base"))
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, "undefine") = point { true } else { false }
        }
        let id = try await core.pools.delete(
            .name("other"), withData: false, test.context("pool.delete")
        ).operationID
        await core.engine.idle()
        let folders = test.bench.folders
        try await QemuImg.create(
            path: "\(folders)/other/top", format: .qcow2, sizeBytes: nil,
            backing: .init(path: RealPath.of("\(folders)/fast/base"), format: .qcow2))
        try await core.environment.pools.resync()
        try core.inventory.close()
        let ended = try await test.resumed(id)
        #expect(ended.status == .failed && ended.error?.detail.contains("other/top") == true, "\(ended)")
    }

    @Test func whatGoesWithItsPoolNeedsNothing() async throws {
        let test = try await prepare()
        try await test.ended(
            try await test.core.pools.delete(.name("other"), withData: true, test.context("pool.delete")))
        try await baseGoes(test)
        try test.close()
    }

    @Test func volumesOfOursInAPoolThatVanishedAreKnown() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        try await test.add("fast", try test.volume("base"))
        let theirs = try test.folder("theirs")
        let xml = "<pool type='dir'><name>theirs</name><target><path>\(theirs)</path></target></pool>"
        let handle = try await test.bench.hypervisor.connection().define(storagePool: xml)
        try await handle.start()
        try await test.link("fast", "base", to: "theirs")
        try await test.unmount("theirs")
        try await handle.undefine()
        try await test.look()
        #expect(try await test.pool("theirs").state == .missing)
        try await baseStays(test)
        try await test.ended(
            try await test.core.pools.delete(.name("theirs"), withData: false, test.forced("pool.delete")))
        try await baseGoes(test)
        try test.close()
    }

    @Test func aLostInventoryForgetsNoLink() async throws {
        let test = try await prepare()
        try await test.unmount("other")
        try test.close()
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: test.bench.state + "/inventory.sqlite" + suffix)
        }
        let second = PoolBench(bench: test.bench, core: try await test.bench.core())
        try await second.look()
        try await baseStays(second)
        try second.close()
    }

    @Test func whatStandsAloneIsLinkedToNothing() async throws {
        let test = try await prepare()
        try await test.ended(
            try await test.core.pools.flattenVolume(.name("other"), "top", test.context("volume.flatten")))
        let kept = test.core.state.kept(.volume, KeptVolume.self).values
        #expect(kept.map(\.name).sorted() == ["base", "top"] && kept.allSatisfy { $0.backing == nil })
        try await test.unmount("other")
        try await baseGoes(test)
        try test.close()
    }

    // MARK: VMs

    @Test func aBaseIsNoDisk() async throws {
        let test = try await prepare()
        try await test.bench.make("web", on: test.core)
        try await test.unmount("other")
        var add = VMDiskAdd()
        add.path = "\(test.bench.folders)/fast/base"
        let adding = await test.refused(.volumeInUse) {
            try await test.core.vms.addDisk(.name("web"), add, test.context("vm.disk.add"))
        }
        #expect(adding?.detail.contains("other/top") == true, "\(adding?.detail ?? "")")
        var create = VMCreate(name: try Name("given"))
        create.xml = Secret(SafetyXML.domain("given", "\(test.bench.folders)/fast/base"))
        let defining = await test.refused(.volumeInUse) {
            try await test.core.vms.create(create, test.context("vm.create"))
        }
        #expect(defining?.detail.contains("other/top") == true, "\(defining?.detail ?? "")")
        try test.close()
    }

    @Test func aVMsDiskThatAVolumeReadsFromStays() async throws {
        let test = try await PoolBench()
        try await test.make("other")
        try await test.bench.make("web", on: test.core)
        let vm = try await test.core.vms.row(.name("web")).value()
        let disk = try #require(vm.disks.first { $0.role == "root" }?.path)
        try await QemuImg.create(
            path: "\(test.bench.folders)/other/top", format: .qcow2, sizeBytes: nil,
            backing: .init(path: disk, format: .qcow2))
        try await test.look()
        try await test.unmount("other")
        let problem = await test.refused(.volumeInUse) {
            try await test.core.vms.delete(.name("web"), keepDisks: false, test.context("vm.delete"))
        }
        #expect(problem?.detail.contains("other/top") == true, "\(problem?.detail ?? "")")
        try await test.ended(
            try await test.core.vms.delete(.name("web"), keepDisks: false, test.forced("vm.delete")))
        #expect(!FileManager.default.fileExists(atPath: disk))
        try test.close()
    }
}
