// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import vctl

/// Files that commands write.
@Suite final class WritingTests {
    private let folder = "/tmp/vctl-test-\(UUID().uuidString.prefix(13))"

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func put(_ text: String, _ name: String) throws {
        try text.write(toFile: path(name), atomically: false, encoding: .utf8)
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    private func target(_ name: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: path(name))
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }
    }

    /// `vctl vm file pull` of a file with that content.
    private func pull(_ file: String, _ options: String..., reply: RawServer.Step = json("news")) throws
        -> Program
    {
        let server = try RawServer([[.request, reply]])
        return try Program.run(["vm", "file", "pull", "web1", "/x", file] + options, socket: server.path)
    }

    @Test func whatIsNoFileIsWrittenTo() throws {
        let null = try pull("/dev/null")
        #expect(null.status == 0, "\(null)")
        var status = stat()
        #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        #expect(mkfifo(path("pipe"), 0o600) == 0)
        // Open for both, so that nobody waits for the other end.
        let pipe = open(path("pipe"), O_RDWR | O_CLOEXEC)
        defer { close(pipe) }
        try link("link", to: "pipe")
        for name in ["pipe", "link"] {
            let pulled = try pull(path(name))
            #expect(pulled.status == 0, "\(pulled)")
            var heard = [UInt8](repeating: 0, count: 100)
            #expect(read(pipe, &heard, heard.count) == 4 && heard.starts(with: Array("news".utf8)))
        }
        #expect(try names == ["link", "pipe"])
        let refused = try pull(folder, "--force")
        #expect(refused.status == 1 && refused.err.contains("Is a directory"), "\(refused)")
    }

    @Test func aFileIsReplacedOnlyByForce() throws {
        try put("old", "a")
        let refused = try pull(path("a"))
        #expect(refused.status == 64 && refused.err.contains("--force replaces it"), "\(refused)")
        #expect(try text("a") == "old")
        try put("mine", "a.partial")
        #expect(try pull(path("a"), "--force").status == 0)
        #expect(try text("a") == "news" && text("a.partial") == "mine")
        #expect(try names == ["a", "a.partial"])
    }

    @Test func aLinkIsFollowedToWhatItNames() throws {
        try FileManager.default.createDirectory(atPath: path("sub"), withIntermediateDirectories: true)
        try put("old", "sub/a")
        try link("first", to: "second")
        try link("second", to: path("sub/a"))
        #expect(try pull(path("first")).status == 64)
        #expect(try pull(path("first"), "--force").status == 0)
        #expect(try text("sub/a") == "news")
        #expect(try target("first") == "second" && target("second") == path("sub/a"))
        try link("ahead", to: "sub/new")
        try Files.write(Array("made".utf8), to: path("ahead"))
        #expect(try text("sub/new") == "made" && target("ahead") == "sub/new")
        try link("round", to: "round")
        #expect(throws: Failure.self) { try Files.write([], to: path("round")) }
        #expect(try target("round") == "round")
    }

    @Test func halfAFileIsNone() throws {
        try put("old", "a")
        let half = RawServer.Step.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        #expect(try pull(path("a"), "--force", reply: half).status == 6)
        #expect(try pull(path("b"), reply: problem(404, "vm.notFound")).status != 0)
        #expect(try text("a") == "old")
        #expect(try names == ["a"])
        let nowhere = try pull(path("none/a"))
        #expect(nowhere.status == 1 && nowhere.err.contains("No such file or directory"), "\(nowhere)")
    }
}
