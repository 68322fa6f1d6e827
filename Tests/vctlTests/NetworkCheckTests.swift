// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite struct NetworkCheckTests {
    private func run(_ verdict: String, _ more: String = "", _ arguments: String...) throws -> Program {
        let path =
            #"{"from":"guest","to":"outside","family":"ipv4","expected":"reached","seen":"unreached","#
            + #""verdict":"differs","causes":["a.b"]}"#
        let report = #"{"network":"lab","verdict":"\#(verdict)","paths":[\#(path)]\#(more)}"#
        let server = try RawServer([[.request, json(report)]])
        let result = try Program.run(["network", "check", "lab"] + arguments, socket: server.path)
        #expect(server.requests[0].hasPrefix("POST /v1/networks/lab/actions/check HTTP"))
        return result
    }

    private static let reason =
        #","causes":[{"code":"a.b","message":"it is so","hint":"mend it"}],"notes":["not all"]"#

    @Test func reasonsStandBelow() throws {
        let result = try run("differs", Self.reason, "--columns", "from,to,seen")
        #expect(
            result.out == """
                FROM   TO       SEEN
                guest  outside  unreached

                not all
                a.b: it is so
                  → mend it

                """)
        #expect(result.status == 1 && result.err.isEmpty)
    }

    @Test(arguments: [("ok", Int32(0)), ("unproven", 0), ("differs", 1), ("of a newer daemon", 1)])
    func theExitCodeIsTheVerdict(_ verdict: String, _ status: Int32) throws {
        #expect(try run(verdict, "", "--format", "name").status == status)
    }

    @Test func jsonIsTheWholeReport() throws {
        let out = try run("ok", Self.reason, "-f", "json").out
        #expect(out.contains(#""hint":"mend it""#) && out.contains(#""paths":[{"#))
        #expect(try run("ok", Self.reason, "-f", "yaml").out.contains("network: lab"))
        #expect(
            try run("ok", "", "-f", "csv", "--columns", "to,verdict").out
                == "to,verdict\r\noutside,differs\r\n")
    }
}
