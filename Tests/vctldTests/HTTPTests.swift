// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import vctld

@Suite(.blockingClients) struct HTTPTests {
    private func problem(_ answer: Answer) throws -> Problem {
        #expect(answer.headers["content-type"] == Wire.problem)
        return try JSONDecoder().decode(Problem.self, from: Data(answer.body.utf8))
    }

    private func with(_ limits: Configuration.HTTP = .init(), _ body: (TestServer) async throws -> Void)
        async throws
    {
        let server = try await TestServer(limits: limits)
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test func anObjectHasItsTag() async throws {
        try await with { server in
            let client = try UnixClient(server.socket)
            let first = try client.get("/v1/vms/web1")
            #expect(first.status == 200)
            #expect(first.body == #"{"name":"web1"}"#)
            #expect(first.headers["etag"] == "\"7\"")
            #expect(first.headers["vctl-observed-at"] != nil)
            let again = try client.get("/v1/vms/web1", headers: "If-None-Match: \"7\"\r\n")
            #expect(again.status == 304)
            #expect(again.headers["etag"] == "\"7\"")
            let head = try client.get("/v1/vms/web1", method: "HEAD")
            #expect(head.status == 200)
            #expect(head.headers["content-length"] == "\(first.body.utf8.count)")
            #expect(
                try client.get("/v1/vms?limit=1").headers["link"]
                    == "</v1/vms?limit=1&after=b%20c>; rel=\"next\"")
        }
    }

    @Test func errorsAreProblems() async throws {
        try await with { server in
            let client = try UnixClient(server.socket)
            #expect(try problem(try client.get("/v1/nothing")).errorCode == .requestPath)
            let method = try client.get("/v1/vms/web1", method: "PUT")
            #expect(method.status == 405)
            #expect(method.headers["allow"] == "DELETE, GET, HEAD, PATCH")
            #expect(try problem(method).errorCode == .requestMethod)
            #expect(try problem(try client.get("/v1/vms/none")).errorCode == .vmNotFound)
            #expect(try problem(try client.get("/v1/vms/web1?x=1")).errorCode == .requestInvalid)
            #expect(try problem(try client.get("/v1/vms/web1/xml")).errorCode == .internalError)
            let long = String(repeating: "a", count: 10_000)
            #expect(try problem(try client.get("/v1/vms/\(long)")).errors?.first?.field == "vm")
        }
    }

    @Test func bodiesAreStrict() async throws {
        try await with { server in
            let client = try UnixClient(server.socket)
            func post(_ body: String, type: String = "application/json") throws -> Answer {
                try client.send("POST", "/v1/vms", body, type: type)
            }
            #expect(try post(#"{"name":"web1"}"#).status == 200)
            #expect(try post(#"{"name":"web1"}"#, type: "Application/JSON; charset=utf-8").status == 200)
            #expect(
                try problem(try post(#"{"name":"web1"}"#, type: "text/plain")).errorCode == .requestMediaType)
            let malformed = try problem(try post(#"{"name":"#))
            #expect(malformed.errorCode == .requestMalformed)
            #expect(malformed.detail.contains("line 1, column 9"))
            #expect(
                try problem(try post(#"{"name":"web1","x":1,"y":2}"#)).errors?.map(\.field) == ["x", "y"])
            #expect(try problem(try client.send("DELETE", "/v1/vms/a", "{}")).errorCode == .requestInvalid)
            let start = "/v1/vms/a/actions/start"
            #expect(try client.get(start, method: "POST", headers: "Content-Length: 0\r\n").status == 204)
            #expect(try client.send("PATCH", "/v1/vms/a", "{}", type: Wire.mergePatch).status == 204)
            #expect(try client.send("PATCH", "/v1/vms/a", "{}").status == 204)
        }
    }

    @Test func headersReachTheHandler() async throws {
        try await with { server in
            let client = try UnixClient(server.socket)
            let headers = "Idempotency-Key: k-1\r\nIf-Match: \"3\"\r\n"
            let answer = try client.send("POST", "/v1/vms", #"{"name":"web1"}"#, headers: headers)
            #expect(
                try JSONDecoder().decode(Preview.self, from: Data(answer.body.utf8)).changes == [
                    "k-1", "\"3\"",
                ])
            let long = "Idempotency-Key: \(String(repeating: "k", count: 256))\r\n"
            #expect(try client.send("POST", "/v1/vms", #"{"name":"web1"}"#, headers: long).status == 400)
        }
    }

    @Test func aLargeBodyIsRefusedAtOnce() async throws {
        try await with { server in
            let announced = try UnixClient(server.socket)
            announced.send(
                "POST /v1/vms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 104857600\r\n\r\n")
            let answer = try announced.answer()
            #expect(answer.status == 413)
            #expect(answer.headers["connection"] == "close")

            let chunked = try UnixClient(server.socket)
            chunked.send(
                "POST /v1/vms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            let piece = [UInt8](repeating: 0x20, count: 65_536)
            for _ in 0..<17 {
                chunked.send("10000\r\n")
                chunked.send(piece)
                chunked.send("\r\n")
            }
            #expect(try problem(try chunked.answer()).errorCode == .requestTooLarge)
        }
    }

    @Test func expectContinueIsAnswered() async throws {
        try await with { server in
            let client = try UnixClient(server.socket)
            let body = #"{"name":"web1"}"#
            client.send(
                "POST /v1/vms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Expect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
            #expect(try client.answer().status == 100)
            client.send(body)
            #expect(try client.answer().status == 200)
        }
    }

    @Test func contentIsStreamed() async throws {
        try await with { server in
            let client = try UnixClient(server.socket)
            let size = 32 << 20
            client.send(
                "PUT /v1/images/i/content HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n"
                    + "Content-Range: bytes 0-1/2\r\nContent-Length: \(size)\r\n\r\n")
            let piece = [UInt8](repeating: 1, count: 1 << 20)
            for _ in 0..<(size >> 20) { client.send(piece) }
            let preview = try JSONDecoder().decode(Preview.self, from: Data(try client.answer().body.utf8))
            #expect(preview.action == "\(size)")
            #expect(preview.target == "bytes 0-1/2")
        }
    }

    @Test func whoMayOnlyReadIsRefusedAndNoted() async throws {
        try await with { server in
            let client = try UnixClient(server.readOnlySocket)
            #expect(try client.get("/v1/vms/web1").status == 200)
            let refused = try client.send("POST", "/v1/vms", #"{"name":"web1"}"#)
            #expect(refused.status == 403)
            #expect(try problem(refused).errorCode == .permissionDenied)
            #expect(try client.get("/v1/vms/web1/console/log").status == 403)
            #expect(
                server.log.all == ["vm.create - permission.denied", "vm.console.log web1 permission.denied"])
        }
    }

    @Test func aClientMayCloseItsHalf() async throws {
        try await with { server in
            let client = try UnixClient(server.socket)
            client.send("GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n")
            client.finishSending()
            #expect(try client.answer().status == 200)
            #expect(client.isClosed())
        }
    }

    @Test func whatIsNoHTTPEndsOnlyThatConnection() async throws {
        try await with { server in
            for garbage in ["\r\n\r\n\r\nx y z\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}hello\r\n\r\n"] {
                let client = try UnixClient(server.socket)
                client.send(garbage)
                client.finishSending()
                #expect(client.isClosed())
            }
            #expect(try UnixClient(server.socket).get("/v1/version").status == 200)
        }
    }
}
