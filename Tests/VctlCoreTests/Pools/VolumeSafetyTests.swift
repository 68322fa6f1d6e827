// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// What must never be lost, with files that are real.
@Suite struct VolumeSafetyTests {
    // MARK: Between the acceptance and the change

    /// What destroys, and the step that does it.
    enum Change: String, CaseIterable, CustomTestStringConvertible {
        case delete = "remove"
        case deletePool = "files"
        case wipe = "zeroes"
        case format
        case resize
        case flatten

        var testDescription: String { "\(self)" }
    }

    @Test(arguments: Change.allCases) func aVMThatTookTheFileMeanwhileKeepsIt(_ change: Change) async throws {
        let test = try await PoolBench()
        let path = try await prepare(test, change)
        let accepted = try await accept(change, test, dyingAt: change.rawValue)
        // As virsh does it, which takes no claim.
        let xml = SafetyXML.domain("taker", path)
        let domain = try await test.bench.hypervisor.connection().define(domain: xml)
        try await domain.start()
        let before = try Data(contentsOf: URL(filePath: path))
        let ended = try await resumed(accepted, test)
        #expect(ended.status == .failed, "\(ended)")
        #expect(ended.error?.detail.contains("VM taker") == true, "\(ended.error?.detail ?? "")")
        #expect(try Data(contentsOf: URL(filePath: path)) == before)
        #expect(try await test.bench.hypervisor.managed.connection().storagePool(name: "fast").isActive())
    }

    @Test(arguments: Change.allCases) func anotherFileThatCameMeanwhileStays(_ change: Change) async throws {
        let test = try await PoolBench()
        let path = try await prepare(test, change)
        let accepted = try await accept(change, test, dyingAt: change.rawValue)
        try FileManager.default.removeItem(atPath: path)
        let others = Data(repeating: 0x77, count: 1 << 20)
        try others.write(to: URL(filePath: path))
        let ended = try await resumed(accepted, test)
        #expect(ended.status == .failed, "\(ended)")
        #expect(try Data(contentsOf: URL(filePath: path)) == others)
    }

    /// While the operation holds the file, nobody of ours takes it.
    @Test(arguments: Change.allCases) func whatIsBeingDestroyedIsNotTaken(_ change: Change) async throws {
        let test = try await PoolBench()
        let path = try await prepare(test, change)
        try await test.bench.make("web", on: test.core)
        let accepted = try await accept(change, test, dyingAt: change.rawValue)
        let second = try await test.bench.core()
        var add = VMDiskAdd()
        add.path = path
        let problem = await #expect(throws: Problem.self) {
            _ = try await second.vms.addDisk(.name("web"), add, test.context("vm.disk.add"))
        }
        #expect(problem?.errorCode == .vmBusy && problem?.operation == accepted, "\(problem?.detail ?? "")")
        try second.inventory.close()
    }

    /// The VM that has a volume and is off stays off while the volume changes.
    @Test func theVMOfAVolumeThatChangesDoesNotStart() async throws {
        let test = try await PoolBench()
        let path = try await prepare(test, .resize)
        try await test.bench.make("web", on: test.core)
        var add = VMDiskAdd()
        add.path = path
        try await test.ended(try await test.core.vms.addDisk(.name("web"), add, test.context("vm.disk.add")))
        let accepted = try await accept(.resize, test, dyingAt: "resize")
        let second = try await test.bench.core()
        let problem = await #expect(throws: Problem.self) {
            _ = try await second.vms.start(.name("web"), VMStart(), test.context("vm.start"))
        }
        #expect(problem?.errorCode == .vmBusy && problem?.operation == accepted, "\(problem?.detail ?? "")")
        try second.inventory.close()
        #expect(try await resumed(accepted, test).status == .succeeded)
        #expect(try await QemuImg.info(.init(path: path, format: .qcow2)).virtualSizeBytes == 16 << 20)
    }

    /// The volume `fast/data`; of `flatten` one that reads from `fast/base`.
    private func prepare(_ test: PoolBench, _ change: Change) async throws -> String {
        let target = try #require(try await test.make("fast").target)
        if change == .flatten {
            try await test.add("fast", try test.volume("base"))
            var clone = VolumeClone(name: try Name("data"))
            clone.clone = .linked
            try await test.ended(
                try await test.core.pools.cloneVolume(
                    .name("fast"), "base", clone, test.context("volume.clone")))
        } else {
            try await test.add("fast", try test.volume("data"))
        }
        try await QemuIO.run("write -P 0x5a 1M 1M", on: "\(target)/data")
        try await test.look()
        return "\(target)/data"
    }

    /// Accepts a change with a daemon that dies before a step.
    private func accept(_ change: Change, _ test: PoolBench, dyingAt key: String) async throws -> ObjectID {
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, key) = point { true } else { false }
        }
        let (pool, pools) = (Reference.name("fast"), core.pools)
        let context = test.context("volume.\(change)")
        let accepted =
            switch change {
            case .delete: try await pools.deleteVolume(pool, "data", context)
            case .deletePool: try await pools.delete(pool, withData: true, context)
            case .wipe, .format: try await pools.wipeVolume(pool, "data", context)
            case .resize:
                try await pools.resizeVolume(
                    pool, "data", VolumeResize(sizeBytes: try ByteCount("16M")), context)
            case .flatten: try await pools.flattenVolume(pool, "data", context)
            }
        await core.engine.idle()
        try core.inventory.close()
        return try accepted.operationID
    }

    private func resumed(_ id: ObjectID, _ test: PoolBench) async throws -> VctlAPI.Operation {
        let core = try await test.bench.core()
        try await core.engine.resume()
        await core.engine.idle()
        let operation = try await core.operations.get(.id(id))
        try core.inventory.close()
        return operation
    }

    // MARK: Whose file it is

    @Test func anotherFileAtThePlaceOfOursIsOnlyForgotten() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        try FileManager.default.removeItem(atPath: "\(target)/data")
        // Most file systems give it the number that has just become free.
        let theirs = Data(repeating: 0x77, count: 1 << 20)
        try theirs.write(to: URL(filePath: "\(target)/data"))
        try await test.look()
        #expect(try await test.volumes().map(\.state) == [.replaced])
        let context = test.context("volume.wipe")
        await test.refused(.volumeState) {
            try await test.core.pools.wipeVolume(.name("fast"), "data", context)
        }
        await test.refused(.volumeForeign) {
            try await test.core.pools.delete(.name("fast"), withData: true, test.context("pool.delete"))
        }
        try await test.ended(
            try await test.core.pools.deleteVolume(.name("fast"), "data", test.context("volume.delete")))
        #expect(try Data(contentsOf: URL(filePath: "\(target)/data")) == theirs)
        #expect(test.core.state.kept(.volume, KeptVolume.self).values.isEmpty)
        try await test.look()
        let foreign = try #require(try await test.volumes().first)
        #expect(foreign.state == .present && !foreign.managed)
        try test.close()
    }

    @Test func aMissingVolumeIsForgottenAlthoughItComesBack() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        let away = "\(test.bench.directory)/away"
        try FileManager.default.moveItem(atPath: "\(target)/data", toPath: away)
        try await test.look()
        try test.close()
        let core = try await test.bench.core { point in
            if case .beforeStep(_, "forget") = point { true } else { false }
        }
        let accepted = try await core.pools.deleteVolume(
            .name("fast"), "data", test.context("volume.delete"))
        await core.engine.idle()
        try core.inventory.close()
        try FileManager.default.moveItem(atPath: away, toPath: "\(target)/data")
        #expect(try await resumed(try accepted.operationID, test).status == .succeeded)
        #expect(FileManager.default.fileExists(atPath: "\(target)/data"))
    }

    @Test func aNameThatOnlyLooksTheSameIsAnother() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        // Both are é, once as one character and once as two.
        let names = ["e\u{301}", "\u{e9}"]
        for name in names { try Data(count: 1 << 20).write(to: URL(filePath: "\(target)/\(name)")) }
        // No text at all.
        let descriptor = [CChar]("\(target)/".utf8.map { CChar(bitPattern: $0) } + [-1, 0])
            .withUnsafeBufferPointer {
                open($0.baseAddress!, O_CREAT | O_WRONLY, 0o600)
            }
        close(descriptor)
        try await test.look()
        #expect(truncate("\(target)/\(names[0])", 3 << 20) == 0)
        try await test.look()
        let found = try await test.volumes("fast")
        #expect(found.map { Array($0.name.utf8) } == names.map { Array($0.utf8) })
        #expect(found.map(\.capacityBytes) == [3 << 20, 1 << 20])
        try await test.ended(
            try await test.core.pools.deleteVolume(.name("fast"), names[0], test.context("volume.delete")))
        let left = try FileManager.default.contentsOfDirectory(atPath: target)
        #expect(left.contains { Array($0.utf8) == Array(names[1].utf8) })
        #expect(!left.contains { Array($0.utf8) == Array(names[0].utf8) })
        try test.close()
    }

    @Test func aFileSystemMaySayWhatItLikes() {
        var answer = statvfs()
        answer.f_frsize = 1 << 40
        #expect(StorageSpace.bytes(1 << 40, answer) == .max)
        #expect(StorageSpace.bytes(.max, answer) == .max)
        answer.f_frsize = 4096
        #expect(StorageSpace.bytes(10, answer) == 40_960)
        #expect(StorageSpace.bytes(.max / 4096, answer) == .max)
    }
}

/// Writes into images as a guest would.
enum QemuIO {
    static func run(_ command: String, on path: String, format: String = "qcow2") async throws {
        try await Tool("qemu-io", ["-f", format, "-c", command, path]).run()
    }
}

/// Definitions of VMs that others make.
enum SafetyXML {
    static func domain(
        _ name: String, _ path: String, format: String = "qcow2", inside: String = ""
    ) -> String {
        """
        <domain type='test'><name>\(name)</name><memory unit='MiB'>64</memory>
        <os><type>hvm</type></os><devices><disk type='file' device='disk'>
        <driver name='qemu' type='\(format)'/><source file='\(path)'/>\(inside)
        <target dev='vdz' bus='virtio'/></disk></devices></domain>
        """
    }
}
