// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlCore

/// What images read from, as `qemu-img` writes it down.
struct BackingChainTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func overlay(_ name: String, on backing: String, _ format: String = "qcow2") async throws {
        let words = ["create", "-q", "-u", "-f", "qcow2", "-F", format, "-b", backing, folder(name), "8M"]
        try await Tool("qemu-img", words).run()
    }

    @Test func aChainIsFollowedToItsEnd() async throws {
        try await Tool("qemu-img", ["create", "-q", "-f", "raw", folder("base"), "8M"]).run()
        try await overlay("middle", on: folder("base"), "raw")
        try await overlay("top", on: "middle")
        let files = try BackingChain.files(behind: folder("top"))
        #expect(files == [folder("middle"), folder("base")])
        #expect(try BackingChain.files(behind: folder("base")) == [])
        #expect(try BackingChain.files(behind: folder("nothing")) == [])
    }

    @Test func everySpellingOfAFileIsOne() async throws {
        let description = "json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"/a\"}}"
        for (name, files) in [
            (description, ["/a"]), ("json:{\"driver\":\"raw\",\"file.filename\":\"/b\"}", ["/b"]),
            ("file:/c", ["/c"]), ("nbd://host/disk", []), ("nbd:unix:/run/x", []), ("./d:e", ["./d:e"]),
        ] as [(String, [String])] {
            try await overlay("top", on: name)
            let expected = files.map { $0.hasPrefix("/") ? $0 : folder($0) }
            #expect(try BackingChain.files(behind: folder("top")) == expected, "\(name)")
        }
    }

    @Test func aDataFileIsReadToo() async throws {
        let words = [
            "create", "-q", "-f", "qcow2", "-o", "data_file=\(folder("data"))", folder("disk"), "8M",
        ]
        try await Tool("qemu-img", words).run()
        #expect(try BackingChain.files(behind: folder("disk")) == [folder("data")])
    }

    @Test func whatNobodyCanReadIsNotTheEnd() async throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder("loop"), withDestinationPath: folder("loop"))
        try #require(mkfifo(folder("fifo"), 0o600) == 0)
        for backing in ["none", "fifo", ".", "/dev/null", "loop", "/proc/self/mem"] {
            try await overlay("top", on: backing)
            let isUnknown = backing == "loop" || backing == "/proc/self/mem"
            guard isUnknown else {
                #expect(try BackingChain.files(behind: folder("top")).count == 1, "\(backing)")
                continue
            }
            let problem = #expect(throws: Problem.self) { try BackingChain.files(behind: folder("top")) }
            #expect(problem?.errorCode == .poolState, "\(backing)")
            #expect(problem?.detail.contains(backing) == true, "\(problem?.detail ?? "")")
        }
    }

    /// Both are é, once as two characters and once as one.
    @Test func namesThatOnlyLookTheSameAreTwo() async throws {
        let (two, one) = ("e\u{301}", "\u{e9}")
        try await Tool("qemu-img", ["create", "-q", "-f", "qcow2", folder(one), "8M"]).run()
        try await overlay(two, on: folder(one))
        try await overlay("top", on: folder(two))
        #expect(
            try BackingChain.files(behind: folder("top")).map { Array($0.utf8) }
                == [two, one].map { Array(folder($0).utf8) })
        #expect(!SameFiles([folder("none-\(two)")]).contains(folder("none-\(one)")))
        let readers = try FileReaders(domains: [], folders: [])
        #expect(try await readers.first(of: [folder(one)]) != nil, "both read from it")
        try FileManager.default.removeItem(atPath: folder("top"))
        let reader = try await readers.first(of: [folder(one)])
        guard case .file(let path)? = reader else {
            Issue.record("the one behind it is not found")
            return
        }
        #expect(Array(path.utf8) == Array(folder(two).utf8))
    }

    @Test func aCircleEnds() async throws {
        try await overlay("one", on: "two")
        try await overlay("two", on: "one")
        #expect(try BackingChain.files(behind: folder("one")) == [folder("two"), folder("one")])
    }

    /// A guest writes what it likes into a raw disk: the name of any file of the host, too.
    @Test func whatAGuestWroteIsNotFollowed() async throws {
        try await overlay("guest", on: "/etc/passwd", "raw")
        #expect(try BackingChain.files(behind: folder("guest"), format: "raw") == [])
        try await overlay("top", on: folder("guest"), "raw")
        #expect(try BackingChain.files(behind: folder("top")) == [folder("guest")])
        var vm = VM(
            id: ObjectID(), name: "e", state: .stopped, cpus: 1, memoryBytes: 1, managed: true,
            observedAt: .now)
        let disk = try folder.write("", to: "e-0-9634767e.raw")
        try await overlay("h", on: "/backup/e-0-9634767e.raw", "raw")
        try folder.write(try folder.bytes("h"), to: "e-0-9634767e.raw")
        let made = VM.Disk(
            target: "vda", device: "disk", path: disk, format: "raw", serial: "9634767e99", role: "root")
        vm.disks = [made]
        #expect(OwnFiles.disks(of: vm) == [disk])
        vm.disks[0].format = "qcow2"
        #expect(OwnFiles.disks(of: vm) == [disk], "nor what is in another folder")
    }

    @Test func aFileInAFolderIsFoundBySymbolicLinksToo() async throws {
        try await Tool("qemu-img", ["create", "-q", "-f", "qcow2", folder("base"), "8M"]).run()
        try FileManager.default.createSymbolicLink(
            atPath: folder("link"), withDestinationPath: folder("base"))
        let readers = try FileReaders(domains: [], folders: [])
        #expect(try await readers.first(of: [folder("base")]) == nil)
        try await overlay("top", on: folder("link"))
        #expect(try await readers.first(of: [folder("base")]) == .file(folder("top")))
        #expect(try await readers.first(of: [folder("base"), folder("top")]) == nil)
    }
}
