// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// What is not known, or said by a guest, takes nothing from anybody.
@Suite struct VolumeDoubtTests {
    private func delete(_ name: String, _ test: PoolBench) async throws -> Accepted {
        try await test.core.pools.deleteVolume(.name("fast"), name, test.context("volume.delete"))
    }

    // MARK: Files that cannot be read

    @Test func aDiskThatNobodyCanReadMayNeedEveryFile() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        let disk = "\(test.bench.directory)/disk"
        try FileManager.default.createSymbolicLink(atPath: disk, withDestinationPath: disk)
        let domain = try await test.bench.hypervisor.connection().define(
            domain: SafetyXML.domain("odd", disk))
        let problem = await test.refused(.poolState) { try await delete("data", test) }
        #expect(problem?.detail.contains(disk) == true, "\(problem?.detail ?? "")")
        let deleted = await test.refused(.poolState) {
            try await test.core.pools.delete(.name("fast"), withData: true, test.context("pool.delete"))
        }
        #expect(deleted?.detail.contains(disk) == true, "\(deleted?.detail ?? "")")
        // Its owner needs nobody else's leave.
        let id = ObjectID(domain.uuid)
        let readers = test.core.environment.readers
        #expect(try await readers.first(of: ["\(target)/data"], except: id) == nil)
        try await domain.undefine()
        try await test.ended(try await delete("data", test))
        try test.close()
    }

    @Test func anOverlayThatNobodyCanReadMayNeedEveryFile() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        try await QemuImg.create(
            path: "\(target)/top", format: .qcow2, sizeBytes: nil,
            backing: .init(path: "\(target)/data", format: .qcow2))
        try await test.look()
        let before = try await test.volumes("fast")
        let holder = try Unreadable("\(target)/top")
        try await test.look()
        #expect(try await test.volumes("fast") == before, "it is there, and so is what it reads from")
        let problem = await test.refused(.poolState) { try await delete("data", test) }
        #expect(problem?.detail.contains("\(target)/top") == true, "\(problem?.detail ?? "")")
        try await test.unmount("fast")
        let links = try await test.core.inventory.read { try VolumeStore.links($0) }
        #expect(links.map(\.backing) == ["\(RealPath.of(target))/data"])
        withExtendedLifetime(holder) {}
        try test.close()
    }

    // MARK: What guests write

    /// The beginning of a qcow2 that reads from a file.
    private func header(naming path: String, _ test: PoolBench) async throws -> Data {
        let scratch = "\(test.bench.directory)/scratch-\(UUID())"
        try await QemuImg.create(
            path: scratch, format: .qcow2, sizeBytes: 8 << 20, backing: .init(path: path, format: .qcow2))
        return try Data(contentsOf: URL(filePath: scratch))
    }

    @Test func whatAGuestWritesIntoItsRawDiskNeedsNothing() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        let disk = URL(filePath: "\(target)/disk")
        try await header(naming: "\(target)/data", test).write(to: disk)
        try await test.look()
        let domain = try await test.bench.hypervisor.connection().define(
            domain: SafetyXML.domain("guest", disk.path, format: "raw"))
        try await test.core.environment.watcher.refresh(ObjectID(domain.uuid))
        try await test.look()
        let seen = try #require(try await test.volumes("fast").first { $0.name == "disk" })
        #expect(seen.backing == nil && seen.format == "raw", "\(seen)")
        #expect(try await test.core.inventory.read { try VolumeStore.links($0) }.isEmpty)
        try await test.ended(try await delete("data", test))
        try test.close()
    }

    /// The VM that had it as a raw disk is gone, and nothing tells any more that it was one.
    @Test func whatAFileOfNobodySaysIsNotTakenIn() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("secret"))
        try await header(naming: "\(target)/secret", test).write(to: URL(filePath: "\(target)/disk"))
        try await test.look()
        let (pools, fast) = (test.core.pools, Reference.name("fast"))
        let clone = VolumeClone(name: try Name("copy"))
        let size = VolumeResize(sizeBytes: try ByteCount("16M"))
        let requests: [(String, (RequestContext) async throws -> Accepted)] = [
            ("clone", { try await pools.cloneVolume(fast, "disk", clone, $0) }),
            ("resize", { try await pools.resizeVolume(fast, "disk", size, $0) }),
            ("flatten", { try await pools.flattenVolume(fast, "disk", $0) }),
        ]
        for (name, request) in requests {
            let problem = await test.refused(.imageBackingFile) {
                try await request(test.context("volume.\(name)"))
            }
            #expect(problem?.detail.contains("\(target)/secret") == true, "\(problem?.detail ?? "")")
            #expect(problem?.hint?.contains("--force") == true)
        }
        for (name, request) in requests {
            try await test.ended(try await request(test.forced("volume.\(name)")))
        }
        #expect(try await test.volumes("fast").compactMap(\.backing).isEmpty)
        try test.close()
    }

    @Test func whatAGuestWroteIntoARawVolumeNeedsNothing() async throws {
        let test = try await PoolBench()
        let target = try #require(try await test.make("fast").target)
        try await test.add("fast", try test.volume("data"))
        var create = try test.volume("disk")
        create.format = .raw
        try await test.add("fast", create)
        let bytes = try await header(naming: "\(target)/data", test)
        let file = try #require(FileHandle(forWritingAtPath: "\(target)/disk"))
        try file.write(contentsOf: bytes)
        try file.close()
        try await test.look()
        #expect(try await test.volumes("fast").map(\.backing) == [nil, nil])
        try await test.ended(try await delete("data", test))
        try test.close()
    }
}

/// A file that nobody can open, root neither: somebody has a lease on it who does not give it back.
private final class Unreadable {
    private let descriptor: Int32
    /// `F_SETSIG` and `F_SETLEASE`, which Swift does not import.
    private static let (setSignal, setLease): (Int32, Int32) = (10, 1024)

    init(_ path: String) throws {
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        try #require(fcntl(descriptor, Self.setSignal, SIGURG) == 0)
        try #require(fcntl(descriptor, Self.setLease, Int32(F_WRLCK)) == 0)
    }

    deinit { close(descriptor) }
}
