// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlCore

/// Volumes in directories that are real.
@Suite struct VolumeTests {
    @Test func volumesAreWhatWasAskedFor() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("thin"))
        var raw = try test.volume("full", "4M")
        (raw.format, raw.preallocation, raw.labels) = (.raw, .full, ["use": "test"])
        try await test.add("fast", raw)
        let all = try await test.volumes()
        #expect(all.map(\.fullName) == ["fast/full", "fast/thin"])
        #expect(
            all.map(\.format) == ["raw", "qcow2"] && all.allSatisfy { $0.managed && $0.state == .present })
        #expect(all.map(\.capacityBytes) == [4 << 20, 8 << 20])
        #expect((all[0].allocationBytes ?? 0) >= 4 << 20 && (all[1].allocationBytes ?? .max) < 1 << 20)
        let info = try await QemuImg.info(.init(path: "\(target)/thin", format: .qcow2))
        #expect(info.compat == "1.1" && info.virtualSizeBytes == 8 << 20)
        #expect(try await test.pool("fast").volumes == 2)
        var query = ListQuery()
        query.labels = ["use": "test"]
        let labelled = try await test.core.pools.volumes(of: nil, query).json
        #expect(try JSON.value([Volume].self, labelled).map(\.name) == ["full"])
        let left = try FileManager.default.contentsOfDirectory(atPath: target).sorted()
        #expect(left == ["full", "thin"])
        try test.close()
    }

    @Test func volumesThatCannotBeAreRefused() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try FileManager.default.createSymbolicLink(
            atPath: "\(target)/link", withDestinationPath: "/etc/passwd")
        try await test.add("fast", try test.volume("there"))
        let context = test.context("volume.create")
        for name in ["there", "link"] {
            await test.refused(.volumeExists) {
                try await test.core.pools.createVolume(.name("fast"), try test.volume(name), context)
            }
        }
        var huge = try test.volume("huge", "1E")
        huge.preallocation = .falloc
        await test.refused(.storageFull) {
            try await test.core.pools.createVolume(.name("fast"), huge, context)
        }
        var odd = try test.volume("odd")
        odd.format = .vmdk
        await test.refused(.requestInvalid) {
            try await test.core.pools.createVolume(.name("fast"), odd, context)
        }
        (odd.format, odd.preallocation) = (.raw, .metadata)
        await test.refused(.requestInvalid) {
            try await test.core.pools.createVolume(.name("fast"), odd, context)
        }
        await test.refused(.poolNotFound) {
            try await test.core.pools.createVolume(.name("slow"), try test.volume("v"), context)
        }
        #expect(try await test.volumes().map(\.name) == ["there"], "a link is no volume")
        _ = try await test.core.pools.stop(.name("fast"), test.context("pool.stop"))
        await test.core.engine.idle()
        await test.refused(.poolState) {
            try await test.core.pools.createVolume(.name("fast"), try test.volume("v"), context)
        }
        try test.close()
    }

    @Test func aFileThatIsSentBecomesAVolumeAsItIs() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        let file = "\(test.bench.directory)/sent"
        try await QemuImg.create(path: file, format: .qcow2, sizeBytes: 8 << 20)
        try await QemuIO.run("write -P 0x5a 1M 3M", on: file)
        let content = try Data(contentsOf: URL(filePath: file))
        let sum = String(
            try await Tool("sha256sum", ["--", file]).run().text.prefix(64))
        try await test.ended(try await send(content, "qcow2", test, checksum: "sha256:\(sum)"))
        try await test.ended(try await send(Data(count: 1 << 20), "raw", test))
        let all = try await test.volumes()
        #expect(all.map(\.format) == ["qcow2", "raw"] && all.allSatisfy(\.managed))
        #expect(all.map(\.capacityBytes) == [8 << 20, 1 << 20])
        #expect(try Data(contentsOf: URL(filePath: "\(target)/qcow2")) == content)
        let bad: [(String, Data, String?, ErrorCode)] = [
            ("new", content, String(repeating: "0", count: 64), .imageChecksum),
            ("new", content.prefix(100_000), nil, .imageCorrupt), ("new", Data(), nil, .imageCorrupt),
            ("raw", content, nil, .volumeExists), ("../x", content, nil, .requestInvalid),
            ("x.partial", content, nil, .requestInvalid), ("new", content, "md5:0", .requestInvalid),
            ("new", Data([0x1F, 0x8B] + [UInt8](repeating: 7, count: 5000)), nil, .imageFormat),
        ]
        for (name, bytes, checksum, code) in bad {
            await test.refused(code) { try await send(bytes, name, test, checksum: checksum) }
        }
        try await QemuImg.rebaseUnsafely(
            path: file, format: .qcow2, onto: .init(path: "/etc/passwd", format: .raw))
        let hostile = try Data(contentsOf: URL(filePath: file))
        await test.refused(.imageBackingFile) { try await send(hostile, "new", test) }
        await #expect(throws: CancellationError.self) {
            try await send(content, "new", test, isBrokenOff: true)
        }
        try nothingIsLeft(test, target)
        try test.close()
    }

    @Test func whatADeadDaemonReceivedGoesAtTheNextStart() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        let id = ObjectID()
        let volume = NewVolume(
            id: id, path: "\(target)/\(VolumeFiles.unfinished)\(id)", format: .raw, sizeBytes: 512,
            preallocation: .off)
        try UploadNotes(state: test.core.state).begin(volume)
        try Data(count: 1000).write(to: URL(filePath: volume.path))
        for name in ["qcow2", "raw"] { try Data(count: 1000).write(to: URL(filePath: "\(target)/\(name)")) }
        // A note that names something else.
        try Data("\(target)/raw".utf8).write(to: URL(filePath: "\(test.bench.state)/uploads/\(ObjectID())"))
        let notes = UploadNotes(state: test.core.state)
        try await notes.sweep(notes.all(), test.core.inventory)
        try nothingIsLeft(test, target)
        try test.close()
    }

    private func nothingIsLeft(_ test: PoolBench, _ target: String) throws {
        #expect(try FileManager.default.contentsOfDirectory(atPath: target).sorted() == ["qcow2", "raw"])
        let notes = try FileManager.default.contentsOfDirectory(atPath: "\(test.bench.state)/uploads")
        #expect(notes.isEmpty)
    }

    @discardableResult
    private func send(
        _ content: Data, _ name: String, _ test: PoolBench, checksum: String? = nil, isBrokenOff: Bool = false
    ) async throws -> Accepted {
        let body = AsyncThrowingStream<[UInt8], any Error> { continuation in
            var left = Array(content)[...]
            while !left.isEmpty {
                continuation.yield(Array(left.prefix(100_000)))
                left = left.dropFirst(100_000)
            }
            continuation.finish(throwing: isBrokenOff ? CancellationError() : nil)
        }
        return try await test.core.pools.uploadVolume(
            .name("fast"), name, checksum: checksum, size: nil, body: body, test.context("volume.upload"))
    }

    @Test func aVolumeNeverShrinksBelowItsData() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        var create = try test.volume("raw")
        create.format = .raw
        try await test.add("fast", create)
        let file = try FileHandle(forWritingTo: URL(filePath: "\(target)/raw"))
        try file.seek(toOffset: 5 << 20)
        try file.write(contentsOf: Data("data".utf8))
        try file.close()
        var context = test.context("volume.resize")
        let resize = { (size: String) in
            try await test.core.pools.resizeVolume(
                .name("fast"), "raw", VolumeResize(sizeBytes: try ByteCount(size)), context)
        }
        await test.refused(.volumeShrink) { try await resize("6M") }
        context.force = true
        let lost = await test.refused(.requestInvalid) { try await resize("4M") }
        #expect(lost?.detail.contains("its data take") == true)
        _ = try await resize("6M")
        await test.core.engine.idle()
        let info = try await QemuImg.info(.init(path: "\(target)/raw", format: .raw))
        #expect(info.virtualSizeBytes == 6 << 20)
        #expect(try await test.volumes().first?.capacityBytes == 6 << 20)
        try test.close()
    }

    @Test func whatAGuestWritesIntoARawVolumeSaysNothing() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        var create = try test.volume("raw")
        create.format = .raw
        try await test.add("fast", create)
        // What `qemu-img create -b /etc/passwd` writes at the beginning.
        try await QemuImg.create(
            path: "\(test.bench.directory)/bait", format: .qcow2, sizeBytes: 8 << 20,
            backing: .init(path: "/etc/passwd", format: .raw))
        let bait = try Data(contentsOf: URL(filePath: "\(test.bench.directory)/bait")).prefix(4096)
        let file = try FileHandle(forWritingTo: URL(filePath: "\(target)/raw"))
        try file.write(contentsOf: bait)
        try file.close()
        try await test.look()
        let seen = try #require(try await test.volumes().first)
        #expect(seen.format == "raw" && seen.backing == nil)
        // The same bytes in a file that nobody made here are what they say, and nothing opens it.
        try FileManager.default.copyItem(atPath: "\(test.bench.directory)/bait", toPath: "\(target)/bait")
        try await test.look()
        let foreign = try #require(try await test.volumes().first { $0.name == "bait" })
        #expect(foreign.backing == "/etc/passwd" && !foreign.managed)
        await test.refused(.imageBackingFile) {
            try await test.core.pools.resizeVolume(
                .name("fast"), "bait", VolumeResize(sizeBytes: try ByteCount("16M")),
                test.context("volume.resize"))
        }
        try test.close()
    }
}
