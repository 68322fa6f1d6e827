// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlCore

struct ImageProbeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func qemuImg(_ words: String...) async throws { try await Tool("qemu-img", words).run() }

    private func probe(_ name: String) throws -> ImageProbe { try ImageProbe(path: folder(name)) }

    @Test(arguments: [DiskFormat.qcow2, .raw, .vmdk, .vdi, .vhdx, .vpc])
    func formatsThatQemuWritesAreRecognised(_ format: DiskFormat) async throws {
        try await qemuImg("create", "-q", "-f", format.rawValue, folder("disk"), "64M")
        let probe = try probe("disk")
        #expect(probe.format == format && probe.refusal == nil)
        let info = try await QemuImg.info(.init(path: folder("disk"), format: format))
        #expect(info.virtualSizeBytes >= 64 << 20 && info.backingFile == nil && !info.isEncrypted)
    }

    @Test func fixedVHDIsRecognisedByItsEnd() async throws {
        try await qemuImg("create", "-q", "-f", "vpc", "-o", "subformat=fixed", folder("disk"), "8M")
        #expect(try probe("disk").format == .vpc)
    }

    @Test(arguments: ["1.1", "0.10"]) func headerOfQcow2IsRead(_ compat: String) async throws {
        try await qemuImg("create", "-q", "-f", "qcow2", "-o", "compat=\(compat)", folder("disk"), "10G")
        let header = try #require(try probe("disk").qcow2)
        #expect(header.version == (compat == "1.1" ? 3 : 2))
        #expect(header.virtualSizeBytes == 10 << 30 && !header.isDirty && header.internalSnapshots == 0)
    }

    @Test func backingFileIsRefusedByName() async throws {
        try await qemuImg("create", "-q", "-f", "raw", folder("base"), "8M")
        try await qemuImg("create", "-q", "-f", "qcow2", "-b", folder("base"), "-F", "raw", folder("disk"))
        #expect(try probe("disk").refusal == .backingFile(folder("base")))
    }

    @Test func backingFileOfVMDKIsRefused() async throws {
        try await qemuImg("create", "-q", "-f", "vmdk", folder("base.vmdk"), "8M")
        try await qemuImg(
            "create", "-q", "-f", "vmdk", "-b", folder("base.vmdk"), "-F", "vmdk", folder("disk"))
        #expect(try probe("disk").refusal == .backingFile(folder("base.vmdk")))
    }

    @Test func descriptorOfVMDKIsRefused() async throws {
        try await qemuImg(
            "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", folder("disk.vmdk"), "8M")
        #expect(try probe("disk.vmdk").refusal == .dataFile("its extents"))
    }

    @Test func dataFileIsRefusedByName() async throws {
        try await qemuImg(
            "create", "-q", "-f", "qcow2", "-o", "data_file=\(folder("data"))", folder("disk"), "8M")
        #expect(try probe("disk").refusal == .dataFile(folder("data")))
    }

    @Test func encryptionIsRefused() async throws {
        // For LUKS qemu-img measures its own speed, and gives up where CPU time is counted coarsely.
        try await qemuImg(
            "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=12345678", "-o",
            "encrypt.format=aes,encrypt.key-secret=s", folder("disk"), "8M")
        #expect(try probe("disk").refusal == .encrypted)
    }

    /// What a guest may write at the start of its raw disk.
    @Test func aBackingNameAtTheEndOfAllNumbersIsRefused() async throws {
        try await qemuImg("create", "-q", "-f", "qcow2", folder("disk"), "8M")
        var bytes = try folder.bytes("disk")
        bytes.replaceSubrange(8..<20, with: [UInt8](repeating: 0xFF, count: 8) + [0, 0, 0, 1])
        try folder.write(bytes, to: "disk")
        #expect(try probe("disk").refusal == .truncated)
        #expect(try Qcow2Header.references(ofFileAt: folder("disk")).isEmpty)
    }

    @Test func aTimeFarAheadIsATime() throws {
        try folder.write([1], to: "disk")
        var times = [
            timespec(tv_sec: 10_000_000_000, tv_nsec: 0), timespec(tv_sec: 10_000_000_000, tv_nsec: 0),
        ]
        #expect(utimensat(AT_FDCWD, folder("disk"), &times, 0) == 0)
        #expect(FileStamp(path: folder("disk"))?.isSame(as: FileStamp(path: folder("disk"))) == true)
    }

    @Test func corruptMarkIsRefused() async throws {
        try await qemuImg("create", "-q", "-f", "qcow2", folder("disk"), "8M")
        var bytes = try folder.bytes("disk")
        bytes[79] |= 2
        try folder.write(bytes, to: "disk")
        #expect(try probe("disk").refusal == .corrupt)
    }

    @Test(arguments: [1, 4, 71, 511, 65536, 131_000]) func cutImageIsRefused(_ length: Int) async throws {
        try await qemuImg("create", "-q", "-f", "qcow2", folder("disk"), "1G")
        try folder.write(Array(try folder.bytes("disk").prefix(length)), to: "disk")
        let probe = try probe("disk")
        if length < 4 { #expect(probe.format == .raw) } else { #expect(probe.refusal == .truncated) }
    }

    @Test func everyHeaderByteMayBeAnything() async throws {
        try await qemuImg("create", "-q", "-f", "qcow2", folder("disk"), "64M")
        let whole = try folder.bytes("disk")
        for offset in 4..<112 {
            for value: UInt8 in [0, 0x7F, 0x80, 0xFF] {
                var bytes = Array(whole.prefix(4096))
                bytes[offset] = value
                try folder.write(bytes, to: "bent")
                #expect(try probe("bent").format == .qcow2)
            }
        }
    }

    /// A guest with a raw disk can write a header that names a file of the host.
    @Test func declaredRawStaysRaw() async throws {
        try folder.write("secret of the host", to: "secret")
        let path = folder("disk")
        try await qemuImg(
            "create", "-q", "-f", "qcow2", "-u", "-b", folder("secret"), "-F", "raw", path, "8M")
        #expect(try probe("disk").refusal == .backingFile(folder("secret")))
        let info = try await QemuImg.info(.init(path: path, format: .raw))
        #expect(info.format == "raw" && info.backingFile == nil)
    }

    @Test(
        arguments: [
            ([0x1F, 0x8B, 8, 0], "gzip"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "xz"),
            ([0x28, 0xB5, 0x2F, 0xFD], "zstd"),
            (Array("BZh9".utf8), "bzip2"), (Array("PK\u{3}\u{4}".utf8), "zip"),
            ([UInt8](repeating: 0, count: 257) + Array("ustar".utf8), "tar"),
        ] as [([UInt8], String)])
    func packedFilesAreNamed(_ bytes: [UInt8], _ word: String) throws {
        try folder.write(bytes + [UInt8](repeating: 0, count: 1024), to: "disk")
        guard case .unsupported(let what) = try probe("disk").refusal else {
            Issue.record("it is taken for an image")
            return
        }
        #expect(what.contains(word))
        let problem = #expect(throws: Problem.self) { try ImageProbe.format(ofFileAt: folder("disk")) }
        #expect(problem?.errorCode == .imageFormat)
    }

    @Test func whatIsNoFileIsAnError() throws {
        #expect(throws: FileFailure(path: folder("none"), errno: ENOENT)) { try probe("none") }
        #expect(throws: FileFailure(path: folder.path, errno: EISDIR)) {
            try ImageProbe(path: folder.path)
        }
        #expect(mkfifo(folder("fifo"), 0o600) == 0)
        #expect(throws: FileFailure(path: folder("fifo"), errno: ENOTBLK)) { try probe("fifo") }
        let watch = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        defer { close(watch) }
        try #require(inotify_add_watch(watch, folder("fifo"), UInt32(IN_OPEN)) >= 0)
        _ = try? probe("fifo")
        var events = [UInt8](repeating: 0, count: 256)
        #expect(read(watch, &events, events.count) < 0 && errno == EAGAIN, "and it is not opened")
        try folder.write("", to: "empty")
        #expect(try probe("empty").refusal == .empty)
    }
}
