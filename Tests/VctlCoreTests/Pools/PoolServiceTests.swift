// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// Pools as libvirt's test driver has them, over directories that are real.
@Suite struct PoolServiceTests {
    // MARK: Where a pool may be

    @Test func aDirectoryIsMadeAndWhatIsInItTakenOver() async throws {
        let test = try await PoolBench()
        let there = try test.folder("there")
        try Data(count: 1 << 20).write(to: URL(filePath: "\(there)/old.img"))
        let taken = try await test.make("there", there)
        #expect(taken.managed && taken.state == .running && taken.autostart && taken.volumes == 1)
        let old = try #require(try await test.volumes("there").first)
        #expect(old.fullName == "there/old.img" && old.format == "raw" && old.capacityBytes == 1 << 20)
        #expect(!old.managed)
        let fresh = try await test.make("fresh", "\(test.bench.folders)/a/b")
        #expect(fresh.volumes == 0 && PoolPlanner.isFolder("\(test.bench.folders)/a/b"))
        try test.close()
    }

    @Test func directoriesThatAreNoneAreRefused() async throws {
        let test = try await PoolBench()
        let real = try test.folder("real")
        let link = "\(test.bench.folders)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc")
        try Data().write(to: URL(filePath: "\(test.bench.folders)/file"))
        let context = test.context("pool.create")
        for path in ["relative/path", "/", "\(real)/../../etc", "\(real)/./a", "/\u{1}"] {
            let problem = await test.refused(.requestInvalid) {
                try await test.core.pools.create(try test.request("p", path), context)
            }
            #expect(problem?.errors?.map(\.field) == ["target"], "\(path)")
        }
        for path in [
            "/etc", "/etc/vctl", link, "\(link)/below", "\(test.bench.folders)/file",
            "\(test.bench.folders)/file/below", test.bench.state, "\(test.bench.state)/images",
            test.bench.directory,
        ] {
            let problem = await test.refused(.pathForbidden) {
                try await test.core.pools.create(try test.request("p", path), context)
            }
            #expect(problem?.hint != nil, "\(path)")
        }
        for type in PoolType.allCases where type != .dir {
            var other = PoolCreate(name: try Name("p"), type: type)
            other.source = "vg0"
            await test.refused(.requestInvalid) { try await test.core.pools.create(other, context) }
        }
        #expect(try await test.core.inventory.read { try PoolStore.all($0).isEmpty })
        #expect(FileManager.default.fileExists(atPath: "\(test.bench.folders)/a") == false)
        try test.close()
    }

    @Test func anotherPoolsDirectoryIsRefusedWithItsName() async throws {
        let test = try await PoolBench()
        let one = try test.folder("one")
        let xml = "<pool type='dir'><name>theirs</name><target><path>\(one)</path></target></pool>"
        _ = try await test.bench.hypervisor.connection().define(storagePool: xml)
        let context = test.context("pool.create")
        for path in [one, "\(one)/", "\(one)/deeper/still", test.bench.folders] {
            let problem = await test.refused(.poolOverlap) {
                try await test.core.pools.create(try test.request("p", path), context)
            }
            #expect(problem?.detail.contains("pool theirs") == true, "\(path)")
        }
        await test.refused(.poolExists) {
            try await test.core.pools.create(try test.request("theirs", "\(test.bench.folders)/two"), context)
        }
        try await test.make("beside", "\(one)-beside")
        try test.close()
    }

    @Test func twoAtOnceDoNotGetTheSameDirectory() async throws {
        let test = try await PoolBench()
        let target = "\(test.bench.folders)/wanted"
        let accepted = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<6 {
                group.addTask {
                    let create = try? test.request("p\(index)", target)
                    guard let create else { return false }
                    return (try? await test.core.pools.create(create, test.context("pool.create"))) != nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(accepted == 1)
        await test.core.engine.idle()
        try test.close()
    }

    // MARK: Who needs what

    @Test func whatAVMNeedsStays() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        var disk = DiskSpec(sizeBytes: try ByteCount("8M"))
        disk.pool = .name("fast")
        let spec = disk
        try await test.bench.make("web", on: test.core) { $0.disks = [DiskSpec(), spec] }
        try await test.look()
        let made = try #require(try await test.volumes("fast").first)
        #expect(made.usedBy == ["web"] && !made.managed)
        #expect(try await test.pool("fast").usedBy == ["web"])
        let inUse = await test.refused(.volumeInUse) {
            try await test.core.pools.deleteVolume(.name("fast"), made.name, test.context("volume.delete"))
        }
        #expect(inUse?.detail.contains("disk vdb of VM web") == true, "\(inUse?.detail ?? "")")
        for withData in [false, true] {
            let problem = await test.refused(.poolInUse) {
                try await test.core.pools.delete(
                    .name("fast"), withData: withData, test.context("pool.delete"))
            }
            #expect(problem?.detail.contains("VM web") == true)
        }
        _ = try await test.core.vms.delete(.name("web"), keepDisks: true, test.context("vm.delete"))
        await test.core.engine.idle()
        await test.refused(.volumeForeign) {
            try await test.core.pools.delete(.name("fast"), withData: true, test.context("pool.delete"))
        }
        _ = try await test.core.pools.delete(.name("fast"), withData: false, test.context("pool.delete"))
        await test.core.engine.idle()
        #expect(FileManager.default.fileExists(atPath: made.path), "data stay")
        #expect(try await test.core.inventory.read { try PoolStore.find($0, .name("fast")) } == nil)
        try test.close()
    }

    @Test func aVolumeBehindAnotherStays() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("base"))
        try await QemuImg.create(
            path: "\(target)/top", format: .qcow2, sizeBytes: nil,
            backing: .init(path: "\(target)/base", format: .qcow2))
        try await test.look()
        #expect(try await test.volumes().first { $0.name == "top" }?.backing == "\(target)/base")
        let problem = await test.refused(.volumeInUse) {
            try await test.core.pools.deleteVolume(.name("fast"), "base", test.context("volume.delete"))
        }
        #expect(problem?.detail.contains("/top") == true)
        try test.close()
    }

    @Test func operatorsDeleteWhatVctlMadeAndNothingElse() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("ours"))
        try Data(count: 1 << 20).write(to: URL(filePath: "\(target)/theirs.iso"))
        try await test.look()
        var context = test.context("volume.delete")
        context.caller.role = .operate
        await test.refused(.permissionDenied) {
            try await test.core.pools.deleteVolume(.name("fast"), "theirs.iso", context)
        }
        _ = try await test.core.pools.deleteVolume(.name("fast"), "ours", context)
        await test.core.engine.idle()
        #expect(try await test.volumes().map(\.name) == ["theirs.iso"])
        try test.close()
    }

    // MARK: What others do

    @Test func whatOthersMadeIsShownAndStaysUntilAdopted() async throws {
        let test = try await PoolBench()
        let target = try test.folder("theirs")
        let xml = "<pool type='dir'><name>theirs</name><target><path>\(target)</path></target></pool>"
        let handle = try await test.bench.hypervisor.connection().define(storagePool: xml)
        try await handle.start()
        let before = try await handle.xml()
        try Data(count: 1 << 20).write(to: URL(filePath: "\(target)/disk.img"))
        try await test.look()
        let foreign = try await test.pool("theirs")
        #expect(!foreign.managed && foreign.state == .running && foreign.volumes == 1)
        let stop = test.context("pool.stop")
        await test.refused(.poolForeign) { try await test.core.pools.stop(.name("theirs"), stop) }
        await test.refused(.poolForeign) {
            try await test.core.pools.delete(.name("theirs"), withData: true, test.context("pool.delete"))
        }
        await test.refused(.volumeForeign) {
            try await test.core.pools.deleteVolume(.name("theirs"), "disk.img", test.context("volume.delete"))
        }
        try await test.add("theirs", try test.volume("ours"))
        _ = try await test.core.pools.deleteVolume(.name("theirs"), "ours", test.context("volume.delete"))
        await test.core.engine.idle()
        _ = try await test.core.pools.adopt(.name("theirs"), PoolAdopt(), test.context("pool.adopt"))
        await test.core.engine.idle()
        #expect(try await test.pool("theirs").managed)
        _ = try await test.core.pools.release(.name("theirs"), test.context("pool.release"))
        await test.core.engine.idle()
        #expect(try await !test.pool("theirs").managed)
        #expect(try await handle.xml() == before)
        #expect(test.core.state.kept(.pool, KeptPool.self).values.isEmpty)
        try test.close()
    }

    @Test func aPoolThatWasMadeJustNowIsFound() async throws {
        let test = try await PoolBench()
        let target = try test.folder("theirs")
        let xml = "<pool type='dir'><name>theirs</name><target><path>\(target)</path></target></pool>"
        try await test.bench.hypervisor.connection().define(storagePool: xml).start()
        try await test.add("theirs", try test.volume("first"))
        #expect(try await test.volumes("theirs").map(\.fullName) == ["theirs/first"])
        let other = try test.folder("other")
        let more = xml.replacingOccurrences(of: target, with: other)
            .replacingOccurrences(of: "<name>theirs", with: "<name>other")
        _ = try await test.bench.hypervisor.connection().define(storagePool: more)
        #expect(try await test.pool("other").state == .stopped)
        try test.close()
    }

    @Test func whatIsGoneIsMissingAndComesBack() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        try await test.look()
        try FileManager.default.moveItem(atPath: "\(target)/data", toPath: "\(test.bench.directory)/data")
        try await test.look()
        #expect(try await test.volumes().map(\.state) == [.missing])
        try FileManager.default.moveItem(atPath: "\(test.bench.directory)/data", toPath: "\(target)/data")
        try await test.look()
        let back = try #require(try await test.volumes().first)
        #expect(back.state == .present && back.managed && back.capacityBytes == 8 << 20)
        try FileManager.default.moveItem(atPath: target, toPath: "\(test.bench.directory)/away")
        try await test.look()
        let gone = try await test.pool("fast")
        #expect(gone.state == .missing && gone.health == .critical && gone.problem?.contains(target) == true)
        #expect(try await test.core.warnings.list(ListQuery()).json.contains("pool.health"))
        try FileManager.default.moveItem(atPath: "\(test.bench.directory)/away", toPath: target)
        try await test.look()
        #expect(try await test.pool("fast").state == .running)
        try test.close()
    }

    @Test func aLostInventoryIsRebuilt() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        var create = try test.volume("data")
        create.labels = ["use": "test"]
        try await test.add("fast", create)
        let theirs = try test.folder("theirs")
        let xml = "<pool type='dir'><name>theirs</name><target><path>\(theirs)</path></target></pool>"
        let handle = try await test.bench.hypervisor.connection().define(storagePool: xml)
        try await handle.start()
        try await test.look()
        try await test.add("theirs", try test.volume("ours"))
        try test.close()
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: test.bench.state + "/inventory.sqlite" + suffix)
        }
        let second = PoolBench(bench: test.bench, core: try await test.bench.core())
        #expect(try await second.pool("fast").state == .missing)
        try await PoolRecovery.sweep(second.core.state, second.core.inventory)
        try await second.look()
        let found = try await second.pool("fast")
        #expect(found.managed && found.state == .running)
        let data = try #require(try await second.volumes().first)
        #expect(data.managed && data.state == .present && data.labels == ["use": "test"])
        let ours = try #require(try await second.volumes("theirs").first)
        #expect(ours.fullName == "theirs/ours" && ours.managed && ours.state == .present)
        try second.close()
    }
}
