// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import VctlAPI
import VctlCore

/// Where events come from: the store, read page by page.
struct EventSource: Sendable {
    /// Events after a sequence number, at most so many.
    var page: @Sendable (_ after: Int64, _ limit: Int) async throws -> [Event]
    /// The newest events, at most so many.
    var newest: @Sendable (_ limit: Int) async throws -> [Event]
    /// The newest sequence number.
    var last: @Sendable () async throws -> Int64
    /// Waits for an event after a sequence number; `false` when there will be none.
    var wait: @Sendable (_ after: Int64) async -> Bool
    /// An event as one line of JSON.
    var json: @Sendable (Event) throws -> String
}

/// `GET /v1/events` as server-sent events. Nothing is queued for a client: each stream reads the store from
/// where it is, so one that reads slowly is only behind.
struct EventStream: Sendable {
    let source: EventSource
    let keepAlive: Duration
    /// After so many events the stream ends.
    let limit: Int?
    private static let pageSize = 256

    /// The reply that follows the events after `since`; from now on without it.
    func reply(since: Int64?) async throws -> Reply {
        let start = if let since { since } else { try await source.last() }
        let headers: HTTPFields = [
            .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
        ]
        return Reply(.ok, headers, body: .stream { sink in try await follow(from: start, sink) })
    }

    private func follow(from start: Int64, _ sink: StreamSink) async throws {
        var cursor = start
        var left = limit ?? .max
        // A first line at once tells the client that it is connected.
        try await sink.write(ByteBuffer(string: ": vctl\n\n"))
        while left > 0, !Task.isCancelled {
            let events = try await source.page(cursor, min(left, Self.pageSize))
            if let last = events.last {
                try await sink.write(ByteBuffer(string: try events.map(text).joined()))
                cursor = last.sequence
                left -= events.count
                continue
            }
            switch await next(after: cursor) {
            case .event: continue
            case .quiet: try await sink.write(ByteBuffer(string: ": \n\n"))
            case .over: return
            }
        }
    }

    private func text(_ event: Event) throws -> String {
        "id: \(event.sequence)\nevent: \(event.type)\ndata: \(try source.json(event))\n\n"
    }

    private enum Next { case event, quiet, over }

    /// Waits for the next event, or until it is time for a sign of life.
    private func next(after cursor: Int64) async -> Next {
        let source = source
        let keepAlive = keepAlive
        return await withTaskGroup(of: Next.self) { group in
            group.addTask { await source.wait(cursor) ? .event : .over }
            group.addTask { (try? await Task.sleep(for: keepAlive)) == nil ? .over : .quiet }
            defer { group.cancelAll() }
            return await group.next() ?? .over
        }
    }
}
