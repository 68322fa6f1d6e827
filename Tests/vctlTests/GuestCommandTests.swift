// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Commands and files in guests.
@Suite struct GuestCommandTests {
    @Test(arguments: [
        (0, 0), (7, 7), (255, 255), (256, 255), (512, 255), (-1, 255), (-1_073_741_819, 255),
        (3_221_225_477, 255),
    ])
    func noStatusOfAGuestBecomesAnother(_ exit: Int, _ status: Int32) throws {
        let server = try RawServer([[.request, json("{\"exit\":\(exit)}\n")]])
        #expect(try Program.run(["exec", "web1", "x"], socket: server.path).status == status)
    }

    @Test func aDryRunSendsNoByteOfTheFile() throws {
        let path = "/tmp/vctl-test-\(UUID().uuidString)"
        try "content".write(toFile: path, atomically: false, encoding: .utf8)
        defer { unlink(path) }
        let preview = #"{"action":"vm.file.push","target":"web1","changes":["write /x"],"warnings":[]}"#
        let server = try RawServer([[.request, json(preview)]])
        let push = ["vm", "file", "push", "web1"]
        let result = try Program.run(push + [path, "/x", "--dry-run"], socket: server.path)
        #expect(result.status == 0 && result.out == "vm.file.push web1 would:\n  write /x\n", "\(result)")
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("PUT /v1/vms/web1/files/content?path=%2Fx&dryRun=true HTTP"))
        #expect(request.contains("Content-Length: 0\r\n") && request.hasSuffix("\r\n\r\n"))
        let missing = try Program.run(push + ["/nonexistent", "/x", "--dry-run"], socket: server.path)
        #expect(missing.status == 64 && missing.err.contains("cannot read /nonexistent"), "\(missing)")
    }
}
