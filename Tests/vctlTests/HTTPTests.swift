// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlClient

@Suite struct HTTPTests {
    private let get = Request(method: "GET", target: "/v1/vms")

    private func reply(_ text: String) throws -> Reply {
        let server = try RawServer([[.request, .send(text)]])
        return try Client(socket: server.path).exchange(get)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: x\r\n\r\n",
        "HTTP/1.1 200\r\nConnection: close\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\n\nhello",
    ])
    func bodiesOfEveryFraming(_ text: String) throws {
        #expect(try reply(text).bytes == Array("hello".utf8))
        let slow = try RawServer([[.request, .trickle(text)]])
        #expect(try Client(socket: slow.path).exchange(get).bytes == Array("hello".utf8))
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ])
    func truncatedRepliesAreLost(_ text: String) throws {
        #expect { try reply(text) } throws: {
            if case .lost = $0 as? ClientError { true } else { false }
        }
    }

    @Test(arguments: [
        "SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 70_000) + "\r\n\r\n",
    ])
    func nonsenseIsMalformed(_ text: String) throws {
        #expect { try reply(text) } throws: {
            if case .malformed = $0 as? ClientError { true } else { false }
        }
    }

    @Test func oneConnectionServesSeveralRequests() throws {
        let server = try RawServer([[.request, json("1"), .request, json("2"), .request, json("3"), .hold]])
        let client = Client(socket: server.path)
        for expected in ["1", "2", "3"] { #expect(try client.send(get).bytes == Array(expected.utf8)) }
        #expect(server.requests.count == 3)
    }

    @Test func aClosedKeptConnectionIsDialledAnew() throws {
        let server = try RawServer([[.request, json("1")], [.request, json("2")]])
        let client = Client(socket: server.path)
        #expect(try client.send(get).bytes == Array("1".utf8))
        #expect(try client.send(get).bytes == Array("2".utf8))
    }

    @Test func aKeptConnectionThatHasEndedIsNotUsed() throws {
        let server = try RawServer([[.request, json("1")], [.request, json("2")]])
        let client = Client(socket: server.path)
        _ = try client.send(get)
        while server.closed == 0 { usleep(1000) }
        let post = try Request(method: "POST", target: "/x").json(Empty())
        #expect(try client.send(post).bytes == Array("2".utf8))
    }

    @Test func aPostWithoutKeyIsNotSentTwice() throws {
        let server = try RawServer([[.request, json("1"), .request], [.request, json("2")]])
        let client = Client(socket: server.path)
        _ = try client.send(get)
        let post = try Request(method: "POST", target: "/x").json(Empty())
        #expect(throws: ClientError.self) { try client.send(post) }
        #expect(try client.send(post.header(Wire.idempotencyKey, "k")).bytes == Array("2".utf8))
    }

    @Test func aProblemIsThrown() throws {
        let server = try RawServer([[.request, problem(409, "vm.busy", hint: "wait")]])
        #expect { try Client(socket: server.path).send(get) } throws: {
            ($0 as? Problem)?.errorCode == .vmBusy && ($0 as? Problem)?.hint == "wait"
        }
    }

    @Test(arguments: [(404, 3), (403, 5), (412, 4), (503, 6), (500, 1), (400, 64), (502, 1)])
    func aStrangeErrorKeepsItsStatus(_ status: Int, _ exit: Int32) throws {
        let problem = try reply("HTTP/1.1 \(status) X\r\nContent-Length: 3\r\n\r\nwat").problem
        #expect(problem?.exitCode == exit && problem?.code == "http.\(status)")
    }

    @Test func nobodyListens() {
        let client = Client(socket: "/nonexistent/x.sock")
        #expect(throws: ClientError.unreachable(socket: "/nonexistent/x.sock", errno: ENOENT)) {
            try client.send(get)
        }
        let long = Client(socket: "/" + String(repeating: "x", count: 200))
        #expect { try long.send(get) } throws: { ($0 as? ClientError)?.exitCode == .usage }
    }

    @Test func silenceHasAnEnd() throws {
        let server = try RawServer([[.request, .hold]])
        let client = Client(socket: server.path)
        client.patience = 0.05
        #expect(throws: ClientError.silent(socket: server.path)) { try client.send(get) }
        let other = try RawServer([[.request, .send("HTTP/1.1 200 OK\r\n"), .hold]])
        #expect(throws: ClientError.timeout) {
            try Client(socket: other.path).send(get, until: .after(seconds: 0.05))
        }
    }

    @Test func targetsAreEncoded() {
        let request = Request(Endpoints.named("vm.show"), ["a/../b c%"], query: [("label", "k=v&w")])
        #expect(request.target == "/v1/vms/a%2F..%2Fb%20c%25?label=k%3Dv%26w")
        #expect(Request(Endpoints.named("vm.show"), [".."]).target == "/v1/vms/%2E%2E")
    }

    @Test func headersCannotBeSmuggled() {
        let head = String(decoding: get.header("A", "b\r\nC: d").head(contentLength: nil), as: UTF8.self)
        #expect(head.components(separatedBy: "\r\n").filter { $0.hasPrefix("C:") }.isEmpty)
    }

    @Test func secretsAreSentAndNotShown() throws {
        var patch = VMPatch()
        patch.cloudInit = Secret("password")
        let body = try #require(try get.json(patch).body)
        #expect(String(decoding: body, as: UTF8.self).contains("password"))
    }

    @Test func eventsGoOnBehindTheLastOne() throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        let server = try RawServer([
            [.request, .trickle(head + ": hello\n\nid: 7\nevent: a\ndata: {\ndata: }\n\nid: 8\nda")],
            [.request, .send(head + "id: 8\r\ndata: 8\r\n\r\n"), .hold],
        ])
        let events = Client(socket: server.path).events(after: 6)
        #expect(try events.next() == ServerSentEvent(id: "7", type: "a", data: Array("{\n}".utf8)))
        #expect(try events.next().data == Array("8".utf8))
        #expect(server.requests.first?.contains("Last-Event-ID: 6\r\n") == true)
        #expect(server.requests.last?.contains("Last-Event-ID: 7\r\n") == true)
    }

    @Test func followingOutlivesTheConnection() throws {
        let server = try RawServer([
            [.request, json(operation("running"))], [.request], [.request, json(operation("succeeded"))],
        ])
        let id = try #require(ObjectID(operationID))
        var seen: [OperationStatus] = []
        let last = try Client(socket: server.path).follow(id) { seen.append($0.status) }
        #expect(last.status == .succeeded && seen == [.running, .succeeded])
    }
}
