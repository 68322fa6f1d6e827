// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct ImageImportTests {
    let scratch = Scratch()

    private func digest(_ bytes: [UInt8]) -> Checksum {
        Checksum(sha256: SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined())
    }

    @Test(arguments: [DiskFormat.raw, .qcow2, .vmdk, .vdi, .vhdx, .vpc])
    func everyFormatIsImported(_ format: DiskFormat) async throws {
        let house = try ImageHarness(scratch("state"))
        let bytes = try await Fixture.converted(
            scratch, to: format, format == .vpc ? ["-o", "force_size"] : [])
        let operation = try await house.upload("one", bytes) {
            $0.checksum = digest(bytes)
            $0.sourceFormat = format
        }
        #expect(operation.status == .succeeded, "\(String(describing: operation.error))")
        let image = try await house.images.get(.name("one"))
        #expect(image.state == .ready && image.format == (format == .raw ? .raw : .qcow2))
        #expect(image.virtualSizeBytes == 4 << 20)
        #expect(image.checksum == digest(bytes).description)
        let stored = house.state.image(image.id, image.format!)
        let content = try await Fixture.content(stored, image.format!.rawValue)
        #expect(content == Fixture.read(try Fixture.raw(scratch)))
        let formatName = image.format!.rawValue
        #expect(house.files == ["images/\(image.id).\(formatName)", "objects/image/\(image.id).json"])
        let mode = try FileManager.default.attributesOfItem(atPath: stored)[.posixPermissions] as? Int
        #expect(mode == 0o644)
    }

    @Test func compressedIsKeptAndConvertedWhenAsked() async throws {
        let house = try ImageHarness(scratch("state"))
        let bytes = try await Fixture.converted(scratch, to: .qcow2, ["-c"])
        try await house.upload("kept", bytes)
        #expect(try await house.bytes(of: "kept") == bytes)
        let operation = try await house.upload("raw", bytes) { $0.format = .raw }
        #expect(operation.status == .succeeded)
        #expect(try await house.bytes(of: "raw") == Fixture.read(try Fixture.raw(scratch)))
    }

    /// Each is refused with its own code, and leaves nothing.
    @Test func whatIsNoImageIsRefused() async throws {
        let house = try ImageHarness(scratch("state"))
        let whole = try await Fixture.converted(scratch, to: .qcow2)
        let vdi = try await Fixture.converted(scratch, to: .vdi)
        let base = scratch("fixture.qcow2")
        try await Fixture.make(
            scratch, ["create", "-f", "qcow2", "-b", base, "-F", "qcow2", scratch("linked")])
        let external = "data_file=\(scratch("data")),data_file_raw=on"
        try await Fixture.make(scratch, ["create", "-f", "qcow2", "-o", external, scratch("external"), "4M"])
        let cases: [(String, [UInt8], DiskFormat?, Checksum?, ErrorCode)] = [
            ("cut", Array(whole.dropLast(300_000)), nil, nil, .imageCorrupt),
            ("cut-vdi", Array(vdi.dropLast(300_000)), nil, nil, .imageCorrupt),
            ("head", Array(whole.prefix(100)), nil, nil, .imageCorrupt),
            ("empty", [], nil, nil, .imageCorrupt),
            ("linked", Fixture.read(scratch("linked")), nil, nil, .imageBackingFile),
            ("external", Fixture.read(scratch("external")), nil, nil, .imageBackingFile),
            ("declared", whole, .vmdk, nil, .imageFormat),
            ("gzip", [0x1F, 0x8B] + whole, nil, nil, .imageFormat),
            ("checksum", whole, nil, Checksum(sha256: String(repeating: "0", count: 64)), .imageChecksum),
        ]
        for (name, bytes, format, checksum, code) in cases {
            let operation = try await house.upload(name, bytes) {
                $0.sourceFormat = format
                $0.checksum = checksum
            }
            #expect(
                operation.status == .failed && operation.error?.errorCode == code, "\(name): \(operation)")
        }
        #expect(house.files.isEmpty)
        #expect(try await house.images.list(ListQuery()).json == "[]")
    }

    @Test func contentThatChangesMeanwhileIsRefused() async throws {
        let house = try ImageHarness(scratch("state"))
        let id = ObjectID()
        let path = house.state.incoming(id)
        try Data(Fixture.read(try Fixture.raw(scratch))).write(to: URL(fileURLWithPath: path))
        let verification = ImageVerification(path: path, checksum: nil, declared: nil, limits: .quick)
        let once = Mutex(true)
        // The first word of progress comes in the middle of the look; the file grows right then.
        await #expect {
            _ = try await verification.run { _ in
                guard
                    once.withLock({ first in
                        defer { first = false }
                        return first
                    })
                else { return }
                let file = FileHandle(forWritingAtPath: path)
                _ = try? file?.seekToEnd()
                file?.write(Data([1]))
            }
        } throws: { ($0 as? Problem)?.errorCode == .imageChanged }
    }

    @Test func nothingLargerThanTheLimitIsTaken() async throws {
        var limits = ImageLimits.quick
        limits.virtualBytes = 1 << 20
        let house = try ImageHarness(scratch("state"), limits: limits)
        let operation = try await house.upload("large", try await Fixture.converted(scratch, to: .qcow2))
        #expect(operation.error?.errorCode == .imageFormat)
    }

    @Test func recoveryBringsBackWhatWasKept() async throws {
        let house = try ImageHarness(scratch("state"))
        let bytes = try await Fixture.converted(scratch, to: .qcow2)
        try await house.upload("one", bytes) { $0.labels = ["os": "debian"] }
        try await house.upload("two", bytes)
        var patch = ImagePatch()
        patch.name = try Name("renamed")
        _ = try await house.images.set(.name("one"), patch, ImageHarness.context("image.set"))
        let before = try await house.images.get(.name("renamed"))
        let second = try await house.inventory.read { try ImageStore.get($0, .name("two")) }
        try FileManager.default.removeItem(atPath: second.path!)
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: house.state.object(.image, ObjectID())))
        let fresh = try Inventory(path: scratch("fresh.sqlite"), instance: house.state.instance)
        let found = ImageRecovery.find(house.state)
        #expect(found.unreadable.count == 1)
        let made = try await fresh.write { try ImageRecovery.restore(found, $0) }
        #expect(made == 2)
        let rows = try await fresh.read { try ImageStore.page($0, ListQuery()).rows }
        #expect(rows.map(\.name.rawValue) == ["renamed", "two"])
        #expect(rows[0].document == before)
        #expect(rows[1].state == .missing)
    }
}
