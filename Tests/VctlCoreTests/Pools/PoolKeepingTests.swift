// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// What a pool may be taken from, and where one may be.
@Suite struct PoolKeepingTests {
    /// Names of devices are links out of their folder.
    @Test(arguments: ["vg/lv", "dm-0"]) func aVMOnADeviceOfAPoolKeepsIt(_ name: String) async throws {
        let test = try await PoolBench()
        let group = try test.folder("vg")
        let device = "\(test.bench.folders)/dm-0"
        try Data(count: 1 << 20).write(to: URL(filePath: device))
        try FileManager.default.createSymbolicLink(atPath: "\(group)/lv", withDestinationPath: device)
        let xml = """
            <pool type='disk'><name>vg</name><source><device path='/dev/none'/></source>
            <target><path>\(group)</path></target></pool>
            """
        let connection = try test.bench.hypervisor.connection()
        let handle = try await connection.define(storagePool: xml)
        try await handle.start()
        _ = try await handle.createVolume("<volume><name>lv</name><capacity>1048576</capacity></volume>")
        try await test.look()
        #expect(try await test.volumes("vg").map(\.path) == ["\(group)/lv"])
        try await test.ended(
            try await test.core.pools.adopt(.name("vg"), PoolAdopt(), test.context("pool.adopt")))
        let path = "\(test.bench.folders)/\(name)"
        try await connection.define(domain: SafetyXML.domain("taker", path, format: "raw")).start()
        for body in [
            { try await test.core.pools.stop(.name("vg"), test.context("pool.stop")) },
            { try await test.core.pools.delete(.name("vg"), withData: false, test.context("pool.delete")) },
        ] as [() async throws -> Accepted] {
            let problem = await test.refused(.poolInUse, body)
            #expect(problem?.detail.contains("VM taker") == true, "\(problem?.detail ?? "")")
        }
        #expect(try await handle.isActive())
        try test.close()
    }

    @Test func aVMThatRunsByNowKeepsItsPoolRunning() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, "stop") = point { true } else { false }
        }
        let id = try await core.pools.stop(.name("fast"), test.context("pool.stop")).operationID
        await core.engine.idle()
        try core.inventory.close()
        let connection = try test.bench.hypervisor.connection()
        try await connection.define(domain: SafetyXML.domain("taker", "\(target)/data")).start()
        let ended = try await test.resumed(id)
        #expect(ended.status == .failed && ended.error?.detail.contains("VM taker") == true, "\(ended)")
        #expect(try await connection.storagePool(name: "fast").isActive())
        let second = PoolBench(bench: test.bench, core: try await test.bench.core())
        try await second.ended(try await second.core.pools.stop(.name("fast"), test.forced("pool.stop")))
        #expect(try await !connection.storagePool(name: "fast").isActive())
        try second.close()
    }

    @Test func whereADiskIsBeingMadeThePoolStays() async throws {
        let test = try await PoolBench()
        try await test.make("fast")
        try await test.bench.make("first", on: test.core)
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep = point { true } else { false }
        }
        var create = VMCreate(name: try Name("web"))
        (create.image, create.start) = (.name("base"), false)
        var disk = DiskSpec()
        disk.pool = .name("fast")
        create.disks = [disk]
        let id = try await core.vms.create(create, test.context("vm.create")).operationID
        await core.engine.idle()
        try core.inventory.close()
        let second = PoolBench(bench: test.bench, core: try await test.bench.core())
        let (pools, fast) = (second.core.pools, Reference.name("fast"))
        for body in [
            { try await pools.stop(fast, test.context("pool.stop")) },
            { try await pools.delete(fast, withData: false, test.context("pool.delete")) },
        ] as [() async throws -> Accepted] {
            let problem = await second.refused(.poolBusy, body)
            #expect(problem?.operation == id)
        }
        try await second.ended(try await pools.refresh(fast, test.context("pool.refresh")))
        try second.close()
        #expect(try await test.resumed(id).status == .succeeded)
    }

    @Test func aDirectoryThatCannotBeRemovedIsOnlyAWarning() async throws {
        let test = try await PoolBench()
        let target = "\(test.bench.folders)/deep/fast"
        try await test.make("fast", target)
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, "folders") = point { true } else { false }
        }
        let id = try await core.pools.delete(
            .name("fast"), withData: false, test.context("pool.delete")
        ).operationID
        await core.engine.idle()
        try core.inventory.close()
        try FileManager.default.removeItem(atPath: target)
        try Data().write(to: URL(filePath: target))
        let ended = try await test.resumed(id)
        #expect(ended.status == .succeeded, "\(ended)")
        #expect(ended.warnings.contains { $0.contains(target) }, "\(ended.warnings)")
    }

    // MARK: Where it may be

    @Test func onlyWhatLiesWherePoolsMayBeIsAdopted() async throws {
        let test = try await PoolBench()
        let outside = test.bench.directory + "-outside"
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
        let link = "\(test.bench.folders)/link"
        _ = try test.folder("real")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: test.bench.state)
        for path in [
            outside, test.bench.state, "\(test.bench.state)/images", test.bench.directory, "\(link)/objects",
        ] {
            let xml = "<pool type='dir'><name>theirs</name><target><path>\(path)</path></target></pool>"
            let handle = try await test.bench.hypervisor.connection().define(storagePool: xml)
            await test.refused(.pathForbidden) {
                try await test.core.pools.adopt(.name("theirs"), PoolAdopt(), test.context("pool.adopt"))
            }
            try await handle.undefine()
            try await test.look()
        }
        try test.close()
    }

    @Test func twoPathsToOneFolderAreOne() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder("real"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder("again"), withDestinationPath: folder("real"))
        #expect(PoolPlaces.isIn(folder("again"), folder("real/deep/er")))
        #expect(PoolPlaces.overlap(folder("real/deep"), folder("again"), looks: true))
        #expect(!PoolPlaces.isIn(folder("real"), folder("real-too")))
        #expect(PoolPlaces.isIn(folder("real"), folder("real/\u{301}x")))
    }

    @Test func aFolderThatIsMountedElsewhereIsTheSame() {
        let mounts = Mounts(
            """
            22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            30 22 0:40 / /mnt/nfs rw - nfs4 server:/export rw
            31 22 8:1 /srv/pool/inner /mnt/with\\040space rw - ext4 /dev/sda1 rw
            32 30 8:1 /etc /mnt/nfs rw - ext4 /dev/sda1 rw
            """)
        let pool = mounts.place(of: "/srv/pool")
        #expect(pool == .init(device: "8:1", path: "/srv/pool"))
        #expect(mounts.place(of: "/mnt/with space/a") == .init(device: "8:1", path: "/srv/pool/inner/a"))
        #expect(mounts.place(of: "/mnt/with space")!.isIn(pool!) && !pool!.isIn(mounts.place(of: "/srv/po")!))
        #expect(mounts.place(of: "/mnt/nfs/x") == .init(device: "8:1", path: "/etc/x"), "it covers the other")
        #expect(pool!.isIn(mounts.place(of: "/")!))
    }

    // MARK: While a file is sent

    @Test func aPoolThatStoppedMeanwhileGetsNoVolume() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        let body = AsyncThrowingStream<[UInt8], any Error> { continuation in
            continuation.yield(Bench.disk)
            Task {
                do {
                    try await test.ended(
                        try await test.core.pools.stop(.name("fast"), test.context("pool.stop")))
                    continuation.finish()
                } catch { continuation.finish(throwing: error) }
            }
        }
        await test.refused(.poolState) {
            try await test.core.pools.uploadVolume(
                .name("fast"), "sent", checksum: nil, size: nil, body: body, test.context("volume.upload"))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: target).isEmpty)
        #expect(UploadNotes(state: test.core.state).all().isEmpty)
        try test.close()
    }
}
