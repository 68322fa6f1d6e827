// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite struct DoctorTests {
    private func finding(_ check: String, _ status: String, hint: String? = nil) -> String {
        let hint = hint.map { #","hint":"\#($0)""# } ?? ""
        return #"{"check":"\#(check)","status":"\#(status)","message":"it is so"\#(hint)}"#
    }

    private func run(_ findings: [String], _ arguments: String...) throws -> Program {
        let server = try RawServer([[.request, json("[\(findings.joined(separator: ","))]")]])
        let result = try Program.run(["host", "doctor"] + arguments, socket: server.path)
        #expect(server.requests[0].hasPrefix("GET /v1/host/doctor HTTP"))
        return result
    }

    @Test func whatMendsItStandsBelow() throws {
        let result = try run([finding("kvm", "ok"), finding("clock", "warning", hint: "set it")])
        #expect(
            result.out == """
                CHECK  STATUS   MESSAGE
                kvm    ok       it is so
                clock  warning  it is so
                                → set it

                """)
        #expect(result.status == 0 && result.err.isEmpty)
    }

    @Test(arguments: [
        (["ok", "ok"], Int32(0), Int32(0)), (["ok", "warning"], 0, 8), (["unknown"], 0, 8),
        (["warning", "critical", "ok"], 1, 1), (["ok", "of a newer daemon"], 0, 8), ([], 0, 0),
    ])
    func theExitCodeIsTheWorst(_ statuses: [String], _ plain: Int32, _ strict: Int32) throws {
        let findings = statuses.map { finding("x", $0) }
        #expect(try run(findings, "--format", "name").status == plain)
        #expect(try run(findings, "--strict", "-f", "csv", "--columns", "check").status == strict)
    }

    @Test func otherFormatsAreTheUsualOnes() throws {
        let findings = [finding("a.b", "critical", hint: "do, it"), finding("c", "ok")]
        #expect(try run(findings, "-f", "json").out == "[\(findings.joined(separator: ","))]\n")
        #expect(try run(findings, "-f", "name").out == "a.b\nc\n")
        #expect(
            try run(findings, "-f", "csv").out
                == "check,status,message,hint\r\na.b,critical,it is so,\"do, it\"\r\nc,ok,it is so,\r\n")
        #expect(
            try run(findings, "--columns", "status,check").out
                == "STATUS    CHECK\ncritical  a.b\nok        c\n")
    }
}
