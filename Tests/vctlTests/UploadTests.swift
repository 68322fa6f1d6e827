// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlClient

@Suite struct UploadTests {
    private let put = Request(method: "PUT", target: "/c")

    private func file(_ content: String) throws -> String {
        let path = "/tmp/vctl-test-\(UUID().uuidString)"
        try content.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    @Test func aBrokenUploadIsResumed() throws {
        let path = try file("0123456789")
        defer { unlink(path) }
        let server = try RawServer([[.request], [.request, json("{}", status: "202 Accepted")]])
        let reply = try Client(socket: server.path).upload(
            try UploadFile(path: path), by: put, received: { 4 })
        #expect(reply.head.status == 202)
        #expect(server.requests.first?.contains("Content-Range: bytes 0-9/10\r\n") == true)
        #expect(server.requests.last?.contains("Content-Range: bytes 4-9/10\r\n") == true)
        #expect(server.requests.last?.hasSuffix("\r\n\r\n456789") == true)
    }

    @Test func aChangedFileIsNotCompleted() throws {
        let path = try file("0123456789")
        defer { unlink(path) }
        let upload = try UploadFile(path: path)
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        handle.write(Data("x".utf8))
        try handle.close()
        let server = try RawServer([[.hold]])
        #expect(throws: FileError.changed(path)) {
            try Client(socket: server.path).upload(upload, by: put, received: { 0 })
        }
    }

    @Test func anEarlyRefusalEndsTheSending() throws {
        let path = try file(String(repeating: "x", count: 8 << 20))
        defer { unlink(path) }
        let server = try RawServer([[problem(413, "request.tooLarge"), .hold]])
        #expect {
            try Client(socket: server.path).upload(try UploadFile(path: path), by: put, received: { 0 })
        } throws: {
            ($0 as? Problem)?.errorCode == .requestTooLarge
        }
    }

    @Test func onlyFilesWithContent() throws {
        #expect(throws: FileError.notRegular("/tmp")) { try UploadFile(path: "/tmp") }
        #expect(throws: FileError.unreadable("/nonexistent", ENOENT)) { try UploadFile(path: "/nonexistent") }
        let path = try file("")
        defer { unlink(path) }
        #expect(throws: FileError.empty(path)) { try UploadFile(path: path) }
    }
}
