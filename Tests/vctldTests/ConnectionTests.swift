// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing
import VctlAPI

@testable import vctld

/// Clients that leave, stay, crowd, or never read.
@Suite(.blockingClients) struct ConnectionTests {
    private func until(_ what: String, _ holds: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !holds() {
            try #require(ContinuousClock.now < deadline, "never: \(what)")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func eventsResumeWithoutGapOrDouble() async throws {
        let server = try await TestServer()
        server.events.add(1000)
        let first = try UnixClient(server.socket)
        #expect(
            try first.get("/v1/events?since=0").headers["content-type"]?.hasPrefix("text/event-stream")
                == true)
        _ = try first.read(until: "id: 600\n")
        first.leave()
        let second = try UnixClient(server.socket)
        _ = try second.get("/v1/events", headers: "Last-Event-ID: 600\r\n")
        let resumed = try second.read(until: "id: 1000\n")
        server.events.add()
        let all = resumed + (try second.read(until: "id: 1001\n"))
        let numbers = all.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("id: ") }.compactMap {
            Int($0.dropFirst(4))
        }
        #expect(numbers == Array(601...1001))
        try await until("the client that left is gone") { server.server.openConnections == 1 }
        await server.stop()
    }

    @Test func storedEventsComeAsAnArray() async throws {
        let server = try await TestServer()
        server.events.add(5)
        let answer = try UnixClient(server.socket)
            .get("/v1/events?since=2&limit=2", headers: "Accept: application/json\r\n")
        #expect(answer.body == #"[{"sequence":3},{"sequence":4}]"#)
        await server.stop()
    }

    @Test func aQuietStreamShowsLifeAndEndsAtTheStop() async throws {
        var limits = Configuration.HTTP()
        limits.keepAliveSeconds = 1
        let server = try await TestServer(limits: limits)
        let client = try UnixClient(server.socket)
        _ = try client.get("/v1/events")
        _ = try client.read(until: ": vctl\n\n")
        _ = try client.read(until: ": \n\n")
        await server.stop()
        #expect(client.rest().hasSuffix("0\r\n\r\n"), "the stream ends in order")
        #expect(server.server.openConnections == 0)
    }

    @Test func aWaitEndsWithTheClientAndWithTheDaemon() async throws {
        let server = try await TestServer()
        let wait = "GET /v1/operations/x/wait HTTP/1.1\r\nHost: x\r\n\r\n"
        let leaving = try UnixClient(server.socket)
        leaving.send(wait)
        let staying = try UnixClient(server.socket)
        staying.send(wait)
        try await until("both wait") { server.waits.begun == 2 }
        leaving.leave()
        try await until("the client that left is gone") { server.server.openConnections == 1 }
        await server.stop()
        let answer = try staying.answer()
        #expect(answer.status == 503)
        #expect(answer.body.contains(ErrorCode.daemonStopping.rawValue))
    }

    @Test func idleClientsHarmNobody() async throws {
        let server = try await TestServer()
        let idle = try (0..<200).map { _ in try UnixClient(server.socket) }
        try await until("200 are connected") { server.server.openConnections == 200 }
        #expect(try UnixClient(server.socket).get("/v1/vms/web1").status == 200)
        await server.stop()
        #expect(idle.allSatisfy { $0.isClosed() })
    }

    @Test func anIdleClientIsSentAway() async throws {
        var limits = Configuration.HTTP()
        limits.idleSeconds = 1
        let server = try await TestServer(limits: limits)
        let silent = try UnixClient(server.socket)
        let slow = try UnixClient(server.socket)
        slow.send("GET /v1/vms/web1 HTTP/1.1\r\nHo")
        #expect(silent.isClosed())
        #expect(slow.isClosed())
        await server.stop()
    }

    @Test func tooManyAreTold() async throws {
        var limits = Configuration.HTTP()
        limits.maximumConnections = 8
        let server = try await TestServer(limits: limits)
        let admitted = try (0..<8).map { _ in try UnixClient(server.socket) }
        try await until("8 are connected") { server.server.openConnections == 8 }
        let refused = try UnixClient(server.socket).get("/v1/vms/web1")
        #expect(refused.status == 503)
        #expect(refused.body.contains(ErrorCode.daemonBusy.rawValue))
        admitted[0].leave()
        try await until("there is room") { server.server.openConnections < 8 }
        #expect(try UnixClient(server.socket).get("/v1/vms/web1").status == 200)
        await server.stop()
    }

    @Test func aClientThatNeverReadsIsDropped() async throws {
        var limits = Configuration.HTTP()
        limits.stallSeconds = 1
        let server = try await TestServer(limits: limits)
        let greedy = try UnixClient(server.socket)
        greedy.send("GET /v1/vms/web1/console/log HTTP/1.1\r\nHost: x\r\n\r\n")
        try await until("it is connected") { server.server.openConnections == 1 }
        #expect(try UnixClient(server.socket).get("/v1/vms/web1").status == 200)
        try await until("it is dropped") { server.server.openConnections == 0 }
        await server.stop()
    }

    @Test func aSecondDaemonIsRefusedAndAStaleFileIsTakenOver() async throws {
        let server = try await TestServer()
        let error = #expect(throws: StartError.self) {
            _ = try ListeningSocket.make(path: server.socket, kind: .readWrite)
        }
        #expect(error?.description.contains("another daemon answers") == true)
        #expect(try UnixClient(server.socket).get("/v1/version").status == 200)
        await server.stop()

        let path = "/tmp/vctld-stale-\(UUID().uuidString.prefix(8))/s.sock"
        let dead = try ListeningSocket.make(path: path, kind: .readWrite)
        close(dead.descriptor)
        let fresh = try ListeningSocket.make(path: path, kind: .readWrite)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o660)
        fresh.remove()
        close(fresh.descriptor)
        #expect(stat(path, &status) != 0)

        #expect(FileManager.default.createFile(atPath: path, contents: Data("precious".utf8)))
        #expect(throws: StartError.self) { _ = try ListeningSocket.make(path: path, kind: .readWrite) }
        #expect(FileManager.default.contents(atPath: path) == Data("precious".utf8))
        #expect(throws: StartError.self) {
            _ = try ListeningSocket.make(path: "/tmp/" + String(repeating: "x", count: 200), kind: .readWrite)
        }
        try FileManager.default.removeItem(atPath: URL(filePath: path).deletingLastPathComponent().path)
    }

    @Test func socketsOfSystemdAreTaken() throws {
        let path = "/tmp/vctld-inherited-\(UUID().uuidString.prefix(8))-ro.sock"
        let own = try ListeningSocket.make(path: path, kind: .readWrite)
        defer {
            own.remove()
            close(own.descriptor)
        }
        let environment = ["LISTEN_PID": "\(getpid())", "LISTEN_FDS": "1"]
        let taken = try #require(
            ListeningSocket.inherited(environment: environment, firstDescriptor: own.descriptor).first)
        #expect(taken.path == path)
        #expect(taken.kind == .readOnly)
        #expect(taken.inherited)
        #expect(ListeningSocket.inherited(environment: ["LISTEN_PID": "1", "LISTEN_FDS": "1"]).isEmpty)
    }
}
