// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing
import VctlAPI

@testable import vctld

/// Connections that become streams.
@Suite(.blockingClients) struct UpgradeTests {
    private let upgrade = "Connection: Upgrade\r\nUpgrade: vctl-stream\r\n"

    private func head(_ query: String = "", _ headers: String? = nil) -> String {
        "POST /v1/vms/x/actions/console\(query) HTTP/1.1\r\nHost: x\r\n\(headers ?? upgrade)\r\n"
    }

    @Test func bytesGoBothWaysAsTheyAre() async throws {
        let server = try await TestServer()
        let client = try UnixClient(server.socket)
        client.send(head())
        let answer = try client.read(until: "\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 101 "))
        #expect(answer.lowercased().contains("upgrade: vctl-stream"))
        #expect(!answer.lowercased().contains("content-length"))
        client.send("GET / HTTP/1.1\r\n\r\n\u{1D}\0end")
        #expect(try client.read(until: "end") == "GET / HTTP/1.1\r\n\r\n\u{1D}\0end")
        client.finishSending()
        #expect(client.rest() == "BYE", "the end of what is sent is not the end of what comes")
        await server.stop()
    }

    @Test func whatIsSentBeforeTheReplyIsNotLost() async throws {
        let server = try await TestServer()
        let client = try UnixClient(server.socket)
        client.send(head() + "early ")
        client.send("birds")
        client.finishSending()
        _ = try client.read(until: "\r\n\r\n")
        #expect(client.rest() == "early birdsBYE")
        await server.stop()
    }

    @Test func muchGoesThroughASlowReader() async throws {
        let server = try await TestServer()
        let client = try UnixClient(server.socket)
        client.send(head())
        _ = try client.read(until: "\r\n\r\n")
        let sent = [[UInt8]](repeating: Array(0...250), count: 8000).flatMap(\.self)
        let descriptor = client.descriptor
        let writer = Thread {
            var offset = 0
            while offset < sent.count {
                let count = sent[offset...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { return }
                offset += count
            }
            shutdown(descriptor, Int32(SHUT_WR))
        }
        writer.start()
        var got: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 10_000)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            got += buffer[..<count]
            if got.count % 7 == 0 { usleep(1000) }
        }
        #expect(got.count == sent.count + 3)
        #expect(Array(got.dropLast(3)) == sent)
        await server.stop()
    }

    @Test func aRefusalIsAnOrdinaryReplyAndTheLastOne() async throws {
        let server = try await TestServer()
        let client = try UnixClient(server.socket)
        client.send(head("?readOnly=maybe"))
        let answer = try client.answer()
        #expect(answer.status == 400 && answer.headers["connection"] == "close")
        #expect(client.isClosed())
        let plain = try UnixClient(server.socket)
        plain.send(head("", ""))
        let refused = try plain.answer()
        #expect(refused.status == 400 && refused.body.contains("vctl-stream"))
        #expect(try plain.get("/v1/vms/x").status == 200, "without an upgrade the connection goes on")
        await server.stop()
    }

    @Test func anUpgradeThatNobodyAskedForIsPassedOver() async throws {
        let server = try await TestServer()
        let client = try UnixClient(server.socket)
        let answer = try client.get("/v1/vms/x", headers: "Connection: Upgrade\r\nUpgrade: h2c\r\n")
        #expect(answer.status == 200 && answer.body == #"{"name":"x"}"#)
        #expect(client.isClosed())
        await server.stop()
    }

    @Test func itEndsWithTheClientAndWithTheDaemon() async throws {
        let server = try await TestServer()
        let leaving = try UnixClient(server.socket)
        leaving.send(head())
        _ = try leaving.read(until: "\r\n\r\n")
        let staying = try UnixClient(server.socket)
        staying.send(head())
        _ = try staying.read(until: "\r\n\r\n")
        #expect(server.server.openConnections == 2)
        leaving.leave()
        let deadline = ContinuousClock.now + .seconds(20)
        while server.server.openConnections > 1, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(server.server.openConnections == 1)
        await server.stop()
        #expect(server.server.openConnections == 0)
        #expect(staying.isClosed())
    }
}
