// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// A pool whose file system is not mounted has an empty folder at its place, and is no empty pool.
@Suite struct PoolFolderTests {
    /// A volume `fast/base`, and a file of somebody else in their pool `theirs` that reads from it.
    private func prepare() async throws -> PoolBench {
        let test = try await PoolBench()
        try await test.make("fast")
        try await test.add("fast", try test.volume("base"))
        let theirs = try test.folder("theirs")
        try await QemuImg.create(
            path: "\(theirs)/overlay.qcow2", format: .qcow2, sizeBytes: nil,
            backing: .init(path: RealPath.of("\(test.bench.folders)/fast/base"), format: .qcow2))
        let xml = "<pool type='dir'><name>theirs</name><target><path>\(theirs)</path></target></pool>"
        try await test.bench.hypervisor.connection().define(storagePool: xml).start()
        try await test.look()
        return test
    }

    /// Leaves an empty folder behind, as `umount` does, and keeps what was there.
    private func unmount(_ test: PoolBench, _ pool: String) throws {
        let folder = "\(test.bench.folders)/\(pool)"
        try FileManager.default.moveItem(atPath: folder, toPath: "\(test.bench.directory)/\(pool)-away")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    private func mount(_ test: PoolBench, _ pool: String) throws {
        let folder = "\(test.bench.folders)/\(pool)"
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.moveItem(atPath: "\(test.bench.directory)/\(pool)-away", toPath: folder)
    }

    @Test func itIsMissingAndWhatItNeedsStays() async throws {
        let test = try await prepare()
        try unmount(test, "theirs")
        try await test.look()
        let pool = try await test.pool("theirs")
        #expect(pool.state == .missing && pool.problem?.contains("mounted") == true, "\(pool)")
        let problem = await test.refused(.volumeInUse) {
            try await test.core.pools.deleteVolume(.name("fast"), "base", test.context("volume.delete"))
        }
        #expect(problem?.detail.contains("theirs/overlay.qcow2") == true, "\(problem?.detail ?? "")")
        let full = await test.refused(.poolState) {
            try await test.core.pools.createVolume(
                .name("theirs"), try test.volume("new"), test.context("volume.create"))
        }
        #expect(full?.detail.contains("mounted") == true, "\(full?.detail ?? "")")
        try mount(test, "theirs")
        try await test.look()
        #expect(try await test.pool("theirs").state == .running)
        #expect(try await test.volumes("theirs").map(\.state) == [.present])
        try test.close()
    }

    @Test func anAdministratorTakesTheFolderThatIsThere() async throws {
        let test = try await prepare()
        try unmount(test, "theirs")
        try await test.look()
        let refused = await test.refused(.poolState) {
            try await test.core.pools.refresh(.name("theirs"), test.context("pool.refresh"))
        }
        #expect(refused?.hint?.contains("--force") == true)
        try await test.ended(
            try await test.core.pools.refresh(.name("theirs"), test.forced("pool.refresh")))
        #expect(try await test.pool("theirs").state == .running)
        #expect(try await test.volumes("theirs").isEmpty)
        try await test.ended(
            try await test.core.pools.deleteVolume(.name("fast"), "base", test.context("volume.delete")))
        try test.close()
    }

    /// What a daemon goes on with after the host's boot, before the file system is mounted.
    @Test(arguments: ["remove", "make", "files"]) func whatGoesOnFindsAnotherFolder(_ step: String)
        async throws
    {
        let test = try await PoolBench()
        try await test.make("fast")
        try await test.add("fast", try test.volume("data"))
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, step) = point { true } else { false }
        }
        let (pools, fast) = (core.pools, Reference.name("fast"))
        let accepted =
            switch step {
            case "remove": try await pools.deleteVolume(fast, "data", test.context("volume.delete"))
            case "make":
                try await pools.createVolume(fast, try test.volume("new"), test.context("volume.create"))
            default: try await pools.delete(fast, withData: true, test.context("pool.delete"))
            }
        await core.engine.idle()
        try core.inventory.close()
        try unmount(test, "fast")
        let ended = try await test.resumed(try accepted.operationID)
        #expect(ended.status == .failed && ended.error?.code == "pool.state", "\(ended)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(test.bench.folders)/fast").isEmpty)
        try mount(test, "fast")
        let second = PoolBench(bench: test.bench, core: try await test.bench.core())
        try await second.look()
        #expect(try await second.volumes("fast").map(\.managed) == [true])
        try second.close()
    }

    @Test func aDiskOfAVMIsNotMadeThere() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        try await test.add("fast", try test.volume("data"))
        try await test.bench.make("web", on: test.core)
        try unmount(test, "fast")
        var add = VMDiskAdd()
        add.sizeBytes = try ByteCount("8M")
        add.pool = .name("fast")
        let disk = add
        await test.refused(.poolState) {
            try await test.core.vms.addDisk(.name("web"), disk, test.context("vm.disk.add"))
        }
        try test.close()
    }

    /// What is stopped may be unplugged, and nothing is known to be wrong.
    @Test func aStoppedPoolIsNotMissing() async throws {
        let test = try await prepare()
        try await test.bench.hypervisor.connection().storagePool(name: "theirs").destroy()
        try unmount(test, "theirs")
        try await test.look()
        #expect(try await test.pool("theirs").state == .stopped)
        #expect(try await test.volumes("theirs").count == 1)
        try mount(test, "theirs")
        try await test.look()
        #expect(try await test.volumes("theirs").map(\.state) == [.present])
        try test.close()
    }

    /// The directory may be made, or mounted, after somebody looked for the first time.
    @Test func anEmptyPoolTakesWhateverIsThere() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        try unmount(test, "fast")
        try await test.look()
        #expect(try await test.pool("fast").state == .running)
        try await test.add("fast", try test.volume("data"))
        #expect(try await test.volumes("fast").map(\.state) == [.present])
        try test.close()
    }

    /// A daemon whose inventory was lost comes up before the file system does.
    @Test func whatIsRecoveredBeforeTheMountIsFoundAfterIt() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        try await test.add("fast", try test.volume("data"))
        try test.close()
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: test.bench.state + "/inventory.sqlite" + suffix)
        }
        try unmount(test, "fast")
        let second = PoolBench(bench: test.bench, core: try await test.bench.core())
        try await second.look()
        try mount(second, "fast")
        try await second.look()
        #expect(try await second.pool("fast").state == .running)
        #expect(try await second.volumes("fast").map(\.state) == [.present])
        try second.close()
    }

    // MARK: What is kept of volumes and pools

    @Test func aProtectedPoolsDataAreNotDeletedByForceAlone() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        try await test.add("fast", try test.volume("data"))
        var patch = PoolPatch()
        patch.protected = true
        try await test.ended(try await test.core.pools.set(.name("fast"), patch, test.context("pool.set")))
        let problem = await test.refused(.poolProtected) {
            try await test.core.pools.delete(.name("fast"), withData: true, test.forced("pool.delete"))
        }
        #expect(problem?.hint == "vctl pool set fast --no-protect")
        try test.close()
    }

    @Test func nothingIsMadeInPoolsOutsideOfTheAllowedFolders() async throws {
        let test = try await PoolBench()
        let folder = FileManager.default.temporaryDirectory.appending(path: "vctl-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let xml = "<pool type='dir'><name>home</name><target><path>\(folder.path)</path></target></pool>"
        try await test.bench.hypervisor.connection().define(storagePool: xml).start()
        try await test.look()
        await test.refused(.pathForbidden) {
            try await test.core.pools.createVolume(
                .name("home"), try test.volume("new"), test.context("volume.create"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        try test.close()
    }

    /// An older copy of the database, that was put back.
    @Test func whatTheDatabaseDoesNotKnowIsNotForgotten() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        try await test.add("fast", try test.volume("data"))
        try await test.core.inventory.write { try $0.execute("DELETE FROM volume", []) }
        try await PoolRecovery.sweep(test.core.state, test.core.inventory)
        try await test.look()
        #expect(try await test.volumes("fast").map(\.managed) == [true])
        #expect(test.core.state.kept(.volume, KeptVolume.self).values.count == 1)
        try test.close()
    }

    /// Broken off when nothing but zeroes was left, a wipe does not forget what there was.
    @Test func aWipeThatFailedInTheMiddleKeepsTheSize() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data", "64M"))
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, "format") = point { true } else { false }
        }
        let id = try await core.pools.wipeVolume(.name("fast"), "data", test.context("volume.wipe"))
            .operationID
        await core.engine.idle()
        try core.inventory.close()
        let taker = try await test.bench.hypervisor.connection().define(
            domain: SafetyXML.domain("taker", "\(target)/data"))
        #expect(try await test.resumed(id).status == .failed)
        try await taker.undefine()
        let second = PoolBench(bench: test.bench, core: try await test.bench.core())
        try await second.ended(
            try await second.core.pools.wipeVolume(.name("fast"), "data", test.context("volume.wipe")))
        let info = try await QemuImg.info(.init(path: "\(target)/data", format: .qcow2))
        #expect(info.virtualSizeBytes == 64 << 20)
        let volume = try #require(try await second.volumes("fast").first)
        #expect(volume.format == "qcow2" && volume.capacityBytes == 64 << 20 && volume.state == .present)
        #expect(second.core.state.kept(.volume, KeptVolume.self).values.allSatisfy { $0.wiping == nil })
        try second.close()
    }

    // MARK: Disks of VMs

    /// A guest wrote the header of a qcow2 into its raw disk, which then was taken from it.
    @Test func aRawVolumeIsRawWhateverIsInIt() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        var create = try test.volume("raw")
        create.format = .raw
        try await test.add("fast", create)
        let crafted = "\(test.bench.directory)/crafted"
        try await QemuImg.create(path: crafted, format: .qcow2, sizeBytes: 1 << 30)
        let header = try Data(contentsOf: URL(filePath: crafted))
        let file = try FileHandle(forWritingTo: URL(filePath: "\(target)/raw"))
        try file.write(contentsOf: header.prefix(64 << 10))
        try file.close()
        try await test.look()
        try await test.bench.make("web", on: test.core)
        var add = VMDiskAdd()
        add.path = "\(target)/raw"
        try await test.ended(try await test.core.vms.addDisk(.name("web"), add, test.context("vm.disk.add")))
        let vm = try await test.core.vms.row(.name("web")).value()
        #expect(vm.disks.first { $0.path == "\(target)/raw" }?.format == "raw")
        try test.close()
    }

    @Test func aLinkedCloneOfAVolumeIsADisk() async throws {
        let test = try await PoolBench()
        for pool in ["fast", "other"] { try await test.make(pool) }
        try await test.add("fast", try test.volume("base"))
        try await test.link("fast", "base", to: "other")
        try await test.bench.make("web", on: test.core)
        var add = VMDiskAdd()
        add.path = "\(test.bench.folders)/other/top"
        try await test.ended(try await test.core.vms.addDisk(.name("web"), add, test.context("vm.disk.add")))
        let problem = await test.refused(.volumeInUse) {
            try await test.core.pools.deleteVolume(.name("fast"), "base", test.context("volume.delete"))
        }
        #expect(problem?.detail.contains("web") == true, "\(problem?.detail ?? "")")
        try test.close()
    }
}
