// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import HTTPTypes
import Logging
import NIOCore
import Synchronization
import VctlAPI
import VctlCore

@testable import vctld

/// The real HTTP server on sockets of its own, with handlers that need no libvirt.
struct TestServer {
    let directory: String
    let server: HTTPServer
    let log = RefusalLog()
    let events: EventList
    let waits = WaitCount()

    var socket: String { "\(directory)/t.sock" }
    var readOnlySocket: String { "\(directory)/t-ro.sock" }

    init(limits: Configuration.HTTP = .init(), access: Configuration.Access = .init()) async throws {
        directory = "/tmp/vctld-test-\(UUID().uuidString.prefix(8))"
        let sockets = [
            try ListeningSocket.make(path: "\(directory)/t.sock", kind: .readWrite),
            try ListeningSocket.make(path: "\(directory)/t-ro.sock", kind: .readOnly),
        ]
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let events = EventList()
        self.events = events
        let (log, waits) = (log, waits)
        let keepAlive = Duration.seconds(limits.keepAliveSeconds)
        let responder = Responder(
            routes: RouteTable(Self.handlers(events, waits, keepAlive).routes()), logger: logger,
            noteRefusal: { context, target, code in log.add("\(context.action) \(target ?? "-") \(code)") },
            standing: { nil })
        server = try await HTTPServer(
            sockets: sockets, responder: responder, access: AccessPolicy(access), limits: limits,
            logger: logger)
    }

    /// Ends it and removes what it made.
    func stop() async {
        await server.stop(grace: .seconds(5))
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func handlers(_ events: EventList, _ waits: WaitCount, _ keepAlive: Duration)
        -> HandlerTable
    {
        var table = HandlerTable()
        table.addDescription()
        table.addEvents(events.source, keepAlive: keepAlive)
        table.on("vm.show") { incoming in
            let name = try incoming.reference()
            guard name.description != "none" else { throw Problem(.vmNotFound, "there is no VM none") }
            return incoming.reply(Rendered(json: #"{"name":"\#(name)"}"#, etag: "\"7\"", observedAt: .now))
        }
        table.on("vm.create", VMCreate.self) { incoming, create in
            try .json(
                Preview(
                    action: incoming.context.action, target: create.name.rawValue,
                    changes: [
                        incoming.context.idempotency?.key ?? "none", incoming.context.ifMatch ?? "none",
                    ]))
        }
        table.on("vm.start", VMStart.self) { _, _ in .nothing }
        table.on("vm.set", VMPatch.self) { _, _ in .nothing }
        table.on("vm.delete") { _ in .nothing }
        table.on("vm.list") { incoming in
            incoming.reply(Rendered(json: "[]", next: incoming.query.text("after") == nil ? "b c" : nil))
        }
        table.on("vm.console") { incoming in
            try incoming.requireUpgrade()
            return Reply.switching([:]) { stream in
                // Says all back, and a word of its own at the end.
                while let bytes = try? await stream.read() { try? await stream.write(bytes) }
                try? await stream.write(ByteBuffer(string: "BYE"))
            }
        }
        table.on("vm.xml") { _ in throw CocoaError(.fileReadUnknown) }
        table.on("vm.console.log") { _ in
            Reply(
                .ok,
                body: .stream { sink in
                    let chunk = ByteBuffer(repeating: 0x78, count: 1 << 20)
                    for _ in 0..<1024 { try await sink.write(chunk) }
                })
        }
        table.on("operation.wait") { incoming in
            waits.add()
            try await incoming.connection.whileThere { try await Task.sleep(for: .seconds(600)) }
            return .nothing
        }
        table.on("image.content") { incoming in
            var count = 0
            for try await bytes in incoming.body { count += bytes.count }
            return try .json(
                Preview(action: "\(count)", target: incoming.headers[.contentRange] ?? "", changes: []))
        }
        return table
    }
}

/// How many waits were ever begun.
final class WaitCount: Sendable {
    private let count = Mutex(0)
    var begun: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}

/// What was refused.
final class RefusalLog: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// Events as the store would hold them.
final class EventList: Sendable {
    private struct State {
        var last: Int64 = 0
        var waiters: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    var source: EventSource {
        EventSource(
            page: { after, limit in
                let last = self.last
                guard after < last else { return [] }
                return ((after + 1)...min(last, after + Int64(limit))).map {
                    Event(sequence: $0, time: .now, type: "vm.changed", origin: .vctl, data: ["n": "\($0)"])
                }
            },
            newest: { limit in
                let last = self.last
                return (max(1, last - Int64(limit) + 1)..<last + 1).map {
                    Event(sequence: $0, time: .now, type: "vm.changed", origin: .vctl, data: ["n": "\($0)"])
                }
            },
            last: { self.last },
            wait: { after in await self.wait(after) },
            json: { #"{"sequence":\#($0.sequence)}"# })
    }

    var last: Int64 { state.withLock { $0.last } }

    func add(_ count: Int64 = 1) {
        let waiters = state.withLock { state in
            state.last += count
            defer { state.waiters = [] }
            return state.waiters
        }
        waiters.forEach { $0.finish() }
    }

    private func wait(_ after: Int64) async -> Bool {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        state.withLock { state in
            if state.last > after { continuation.finish() } else { state.waiters.append(continuation) }
        }
        for await _ in stream {}
        return !Task.isCancelled
    }
}
