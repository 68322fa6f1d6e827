// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// What `vctl` does, with nothing but `curl --unix-socket`.
    @Suite(.hosted("curl"))
    struct Curl {
        private static let json = ["-H", "Content-Type: application/json"]

        @Test func aVMFromBirthToDeath() throws {
            let lab = try Lab.current
            let body = #"{"name":"curly","image":"tiny","memoryBytes":134217728,"labels":{"a":"b"}}"#
            let made = try send(lab, "POST", "/v1/vms", body, ["Idempotency-Key: once"])
            #expect(made.status == 202)
            let operation = try decode(VctlAPI.Operation.self, made.body)
            #expect(made.header("location") == "/v1/operations/\(operation.id)")
            let again = try send(lab, "POST", "/v1/vms", body, ["Idempotency-Key: once"])
            #expect(try decode(VctlAPI.Operation.self, again.body).id == operation.id)
            let other = body.replacingOccurrences(of: "curly", with: "other")
            #expect(try send(lab, "POST", "/v1/vms", other, ["Idempotency-Key: once"]).status == 422)
            try eventually("the operation ends", seconds: 120) {
                let reply = try send(lab, "GET", "/v1/operations/\(operation.id)/wait?timeout=30s")
                return try decode(VctlAPI.Operation.self, reply.body).status == .succeeded
            }
            try revisions(lab)
            try console(lab)
            #expect(
                try send(lab, "POST", "/v1/vms/curly/actions/stop", #"{"force":true,"graceSeconds":0}"#)
                    .status < 300)
            try eventually("it is stopped") {
                try decode(VM.self, send(lab, "GET", "/v1/vms/curly").body).state == .stopped
            }
            try eventually("it may be deleted") { try send(lab, "DELETE", "/v1/vms/curly").status == 202 }
            try eventually("it is gone") { try send(lab, "GET", "/v1/vms/curly").status == 404 }
        }

        private func revisions(_ lab: Lab) throws {
            let shown = try send(lab, "GET", "/v1/vms/curly")
            let tag = try #require(shown.header("etag"))
            let patch = #"{"labels":{"a":null,"c":"d"}}"#
            let changed = try send(lab, "PATCH", "/v1/vms/curly", patch, ["If-Match: \(tag)"])
            #expect(changed.status == 200)
            #expect(try decode(VM.self, changed.body).labels == ["c": "d"])
            let stale = try send(lab, "PATCH", "/v1/vms/curly", patch, ["If-Match: \(tag)"])
            #expect(stale.status == 412)
            #expect(try decode(Problem.self, stale.body).code == "revision.stale")
            #expect(try send(lab, "DELETE", "/v1/vms/curly", nil, ["If-Match: \(tag)"]).status == 412)
        }

        private func console(_ lab: Lab) throws {
            try eventually("the guest is up", seconds: 180) {
                let wait = #"{"condition":"agent","timeoutSeconds":20}"#
                let reply = try send(lab, "POST", "/v1/vms/curly/actions/wait", wait)
                return try decode(WaitOutcome.self, reply.body).met
            }
            try eventually("the shell asks for a command", seconds: 60) {
                try send(lab, "GET", "/v1/vms/curly/console/log").body.contains("curly:/#")
            }
            try eventually("the shell answers", seconds: 90) {
                try Shell.must(
                    lab.curlCommand() + [
                        "-f", "-X", "POST", "-H", "Content-Type: application/octet-stream", "--data-binary",
                        "echo answer-$((6*7))\r", "http://vctld/v1/vms/curly/console/input",
                    ])
                usleep(2_000_000)
                return try send(lab, "GET", "/v1/vms/curly/console/log").body.contains("answer-42")
            }
        }

        @Test func whatDoesNotExistIsSaid() throws {
            let lab = try Lab.current
            #expect(try send(lab, "GET", "/v1/nothing").status == 404)
            #expect(try send(lab, "PUT", "/v1/vms").status == 405)
            let missing = try send(lab, "GET", "/v1/vms/nobody")
            #expect(missing.status == 404)
            #expect(missing.header("content-type") == "application/problem+json")
            let problem = try decode(Problem.self, missing.body)
            #expect(problem.code == "vm.notFound" && problem.detail.contains("nobody"))
            #expect(try send(lab, "GET", "/v1/openapi.json").body.contains("3.1."))
        }

        private func send(
            _ lab: Lab, _ method: String, _ path: String, _ body: String? = nil, _ headers: [String] = []
        ) throws -> CurlReply {
            var command = lab.curlCommand() + ["-i", "-X", method] + headers.flatMap { ["-H", $0] }
            if let body { command += Self.json + ["--data-binary", body] }
            return try CurlReply(Shell.must(command + ["http://vctld\(path)"], seconds: 120).out)
        }
    }
}

/// What `curl -i` printed.
struct CurlReply {
    var status: Int
    var headers: [String]
    var body: String

    init(_ text: String) throws {
        // CR LF is one character in Swift.
        let parts = text.components(separatedBy: "\r\n\r\n")
        headers = try #require(parts.first).components(separatedBy: "\r\n")
        let first = try #require(headers.first).split(separator: " ")
        status = try #require(first.dropFirst().first.flatMap { Int($0) })
        body = parts.dropFirst().joined(separator: "\r\n\r\n")
    }

    /// The value of a header.
    func header(_ name: String) -> String? {
        headers.first { $0.lowercased().hasPrefix("\(name):") }?.dropFirst(name.count + 1)
            .trimmingCharacters(in: .whitespaces)
    }
}
