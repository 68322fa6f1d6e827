// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import VctlAPI

/// One server-sent event.
public struct ServerSentEvent: Hashable, Sendable {
    /// The `id:`, a sequence number.
    public var id: String?
    /// The `event:`.
    public var type: String?
    /// The `data:`, byte for byte.
    public var data: [UInt8]

    /// The data as an event of the API.
    /// - Throws: ``ClientError/malformed(_:)``.
    public func event() throws -> Event {
        do {
            return try JSONDecoder().decode(Event.self, from: Data(data))
        } catch {
            throw ClientError.malformed("no event")
        }
    }
}

/// Cuts a stream of bytes into server-sent events.
struct EventParser {
    private var line: [UInt8] = []
    private var current = ServerSentEvent(data: [])
    private var hasData = false

    /// The events that these bytes complete.
    mutating func feed(_ bytes: [UInt8]) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            guard byte == 0x0A else {
                line.append(byte)
                continue
            }
            if line.last == 0x0D { line.removeLast() }
            if let event = endLine() { events.append(event) }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        guard !line.isEmpty else {
            defer {
                current = ServerSentEvent(data: [])
                hasData = false
            }
            return hasData ? current : nil
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        take(field: String(decoding: line[..<colon], as: UTF8.self), value)
        return nil
    }

    private mutating func take(field: String, _ value: ArraySlice<UInt8>) {
        switch field {
        case "id": current.id = String(decoding: value, as: UTF8.self)
        case "event": current.type = String(decoding: value, as: UTF8.self)
        case "data":
            current.data += hasData ? [0x0A] + value : Array(value)
            hasData = true
        default: break
        }
    }
}

/// The daemon's events in order. A connection that breaks is made again, and goes on behind the last one.
public final class EventStream {
    private let client: Client
    private let deadline: Deadline
    private var last: String?
    private var body: ReplyBody?
    private var parser = EventParser()
    private var ready: [ServerSentEvent] = []

    init(_ client: Client, after: Int64?, until deadline: Deadline) {
        self.client = client
        self.deadline = deadline
        last = after.map { String($0) }
    }

    /// The next event, however long it takes.
    /// - Throws: the deadline's error, ``ClientError/interrupted``, or why the daemon stayed away.
    public func next() throws -> ServerSentEvent {
        while ready.isEmpty {
            ready = try client.patiently(until: deadline) { try more() }
        }
        let event = ready.removeFirst()
        last = event.id ?? last
        return event
    }

    private func more() throws -> [ServerSentEvent] {
        do {
            let body = try self.body ?? connect()
            self.body = body
            guard let bytes = try body.next(until: deadline) else {
                throw ClientError.lost(socket: client.socket)
            }
            return parser.feed(bytes)
        } catch {
            body = nil
            parser = EventParser()
            throw error
        }
    }

    private func connect() throws -> ReplyBody {
        var request = Request(Endpoints.named("event.follow")).header("Accept", "text/event-stream")
        if let last { request = request.header("Last-Event-ID", last) }
        return try client.content(request, until: deadline)
    }
}

extension Client {
    /// The events after the given sequence number, then those that happen; without a number only the latter.
    public func events(after sequence: Int64? = nil, until deadline: Deadline = .never) -> EventStream {
        EventStream(self, after: sequence, until: deadline)
    }
}
