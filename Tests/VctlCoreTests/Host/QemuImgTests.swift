// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

struct QemuImgTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func random(_ name: String, megabytes: Int) async throws {
        try await Tool("dd", ["if=/dev/urandom", "of=\(folder(name))", "bs=1M", "count=\(megabytes)"]).run()
    }

    @Test func linkedImageReadsItsBase() async throws {
        try await random("base", megabytes: 4)
        let base = QemuImg.Image(path: folder("base"), format: .raw)
        try await QemuImg.create(path: folder("disk"), format: .qcow2, sizeBytes: 16 << 20, backing: base)
        let info = try await QemuImg.info(.init(path: folder("disk"), format: .qcow2), trusted: true)
        #expect(info.backingFile == base.path && info.backingFormat == "raw" && info.compat == "1.1")
        #expect(info.virtualSizeBytes == 16 << 20)
    }

    @Test func convertTellsItsProgressAndKeepsTheContent() async throws {
        try await random("a", megabytes: 16)
        let seen = Mutex<[Double]>([])
        try await QemuImg.convert(from: folder("a"), format: .raw, to: folder("b"), format: .qcow2) {
            percent in
            seen.withLock { $0.append(percent) }
        }
        try await QemuImg.convert(from: folder("b"), format: .qcow2, to: folder("c"), format: .raw)
        #expect(try folder.bytes("a") == folder.bytes("c"))
        let percents = seen.withLock { $0 }
        #expect(percents.last == 100 && percents == percents.sorted())
    }

    @Test func percentIsRead() {
        #expect(QemuImg.percent(of: "    (12.50/100%)") == 12.5)
        #expect(QemuImg.percent(of: "    (100.00/100%)") == 100)
        #expect(QemuImg.percent(of: "nothing") == nil)
        #expect(QemuImg.percent(of: ")/(") == nil)
    }

    @Test func resizeGrowsAndNeverShrinks() async throws {
        let path = folder("disk")
        try await QemuImg.create(path: path, format: .qcow2, sizeBytes: 8 << 20)
        try await QemuImg.resize(path: path, format: .qcow2, sizeBytes: 32 << 20)
        try await QemuImg.resize(path: path, format: .qcow2, sizeBytes: 32 << 20)
        await #expect(throws: ToolError.self) {
            try await QemuImg.resize(path: path, format: .qcow2, sizeBytes: 8 << 20)
        }
        #expect(try await QemuImg.info(.init(path: path, format: .qcow2)).virtualSizeBytes == 32 << 20)
    }

    @Test(arguments: [Preallocation.falloc, .full]) func preallocationTakesTheRoom(_ mode: Preallocation)
        async throws
    {
        try await QemuImg.create(path: folder("disk"), format: .raw, sizeBytes: 8 << 20, preallocation: mode)
        let info = try await QemuImg.info(.init(path: folder("disk"), format: .raw))
        #expect(info.actualSizeBytes ?? 0 >= 8 << 20)
    }

    @Test func checkTellsDamageFromLeaks() async throws {
        let image = QemuImg.Image(path: folder("disk"), format: .qcow2)
        try await random("raw", megabytes: 2)
        try await QemuImg.convert(from: folder("raw"), format: .raw, to: image.path, format: .qcow2)
        #expect(try await QemuImg.check(image) == .clean)
        let whole = try folder.bytes("disk")
        let table = Int(try #require(whole.big64(40)))
        var leaking = whole
        for index in table..<table + 8 { leaking[index] = 0 }
        try folder.write(leaking, to: "disk")
        #expect(try await QemuImg.check(image) == .leaks)
        var broken = whole
        broken[table + 5] ^= 0xFF
        try folder.write(broken, to: "disk")
        #expect(try await QemuImg.check(image) == .corrupt)
        try folder.write(whole, to: "raw")
        #expect(try await QemuImg.check(.init(path: folder("raw"), format: .raw)) == .notCheckable)
    }

    @Test func measureTellsTheRoomOfACopy() async throws {
        try await random("raw", megabytes: 4)
        let measure = try await QemuImg.measure(.init(path: folder("raw"), format: .raw), as: .qcow2)
        #expect(measure.required >= 4 << 20 && measure.fullyAllocated >= measure.required)
    }

    @Test func strangePathsAreOnlyPaths() async throws {
        for name in ["with space", "a,b=c", "json:{}", "-f", "nbd:x:1", "ümlaut\n"] {
            let base = QemuImg.Image(path: folder(name), format: .qcow2)
            try await QemuImg.create(path: base.path, format: .qcow2, sizeBytes: 1 << 20)
            try await QemuImg.create(path: folder("linked"), format: .qcow2, sizeBytes: nil, backing: base)
            let info = try await QemuImg.info(.init(path: folder("linked"), format: .qcow2))
            #expect(info.backingFile == base.path)
        }
    }

    /// A file system of 4 MiB needs a mount.
    @Test(.enabled(if: getuid() == 0)) func fullDiskIsSeenWithoutReadingMessages() async throws {
        let place = folder("small")
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        #expect(try await Tool.run("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", place]).status == 0)
        #expect(StorageSpace.isFull(at: place) == false)
        try await random("raw", megabytes: 8)
        let error = await #expect(throws: ToolError.self) {
            try await QemuImg.convert(from: folder("raw"), format: .raw, to: "\(place)/disk", format: .qcow2)
        }
        #expect(error?.status == 1)
        #expect(StorageSpace.isFull(at: place))
        try FileManager.default.removeItem(atPath: "\(place)/disk")
        #expect(StorageSpace.isFull(at: place) == false)
        #expect(try await Tool.run("umount", [place]).status == 0)
        #expect(StorageSpace.available(at: "/nonexistent/folder") == nil)
    }
}
