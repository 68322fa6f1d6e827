// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A blocking client of the daemon over one connection, which is kept between requests.
/// It belongs to one thread.
public final class Client {
    /// The path of the daemon's socket, or the URL of its host, as errors name it.
    public let socket: String
    /// Where set, Ctrl-C ends a wait with ``ClientError/interrupted``.
    public var interrupts: Interrupts?
    /// How long the daemon may take for the first byte of a reply that needs no waiting, in seconds.
    public var patience = 60.0

    private let dial: (Deadline, Interrupts?) throws -> Transport
    private var idle: Connection?

    /// A client of the daemon that listens on the socket; it connects with the first request.
    /// - Parameter socket: `nil` for the usual one, or the read-only one where the caller may use no other.
    public convenience init(socket: String?) {
        self.init(peer: socket ?? Wire.defaultSocket) { try UnixSocket.connect(socket, until: $0, $1) }
    }

    /// A client over another transport.
    public init(peer: String, dial: @escaping (Deadline, Interrupts?) throws -> Transport) {
        self.socket = peer
        self.dial = dial
    }

    /// Another client of the same daemon, with a connection of its own.
    public func another() -> Client { Client(peer: socket, dial: dial) }

    /// The limit of an ordinary request: the caller's deadline, and the daemon's silence.
    public func limit(_ deadline: Deadline, extra: Double = 0) -> Deadline {
        deadline.orSooner(.after(seconds: patience + extra, throwing: .silent(socket: socket)))
    }

    /// Sends a request and reads the whole reply.
    /// - Throws: `Problem` where the daemon refuses, else ``ClientError``.
    public func send(_ request: Request, until deadline: Deadline = .never, waiting: Double = 0) throws
        -> Reply
    {
        let reply = try exchange(request, until: deadline, waiting: waiting)
        if let problem = reply.problem { throw problem }
        return reply
    }

    /// Sends a request and reads the whole reply, whatever its status.
    /// - Parameter waiting: the seconds that the daemon was asked to wait before it answers.
    public func exchange(_ request: Request, until deadline: Deadline = .never, waiting: Double = 0) throws
        -> Reply
    {
        let limit = limit(deadline, extra: waiting)
        let (head, body) = try open(request, until: limit)
        return Reply(head: head, bytes: try body.rest(until: limit))
    }

    /// Sends a request and gives its reply as a stream.
    public func open(_ request: Request, until deadline: Deadline = .never) throws -> (ReplyHead, ReplyBody) {
        let limit = limit(deadline)
        while true {
            let connection = try takeConnection(until: limit)
            do {
                return try start(request, on: connection, until: limit)
            } catch let error as ClientError where mayRepeat(error, request, connection) {
                // The daemon had closed a kept connection; the next turn dials anew.
                continue
            }
        }
    }

    /// Sends a request and gives the content of its reply as a stream.
    /// - Throws: `Problem` where the daemon refuses, else ``ClientError``.
    public func content(_ request: Request, until deadline: Deadline = .never) throws -> ReplyBody {
        let (head, body) = try open(request, until: deadline)
        guard head.status >= 400 else { return body }
        let reply = Reply(head: head, bytes: try body.rest(until: limit(deadline)))
        throw reply.problem ?? ClientError.malformed("status \(head.status)")
    }

    private func mayRepeat(_ error: ClientError, _ request: Request, _ connection: Connection) -> Bool {
        guard case .lost = error else { return false }
        return connection.exchanges > 0 && !connection.hasReceived && request.isRepeatable
    }

    private func start(
        _ request: Request, on connection: Connection, until deadline: Deadline
    ) throws -> (ReplyHead, ReplyBody) {
        connection.begin()
        let needsLength = request.body != nil || request.method != "GET"
        let length = needsLength ? Int64(request.body?.count ?? 0) : nil
        try connection.write(request.head(contentLength: length) + (request.body ?? []), until: deadline)
        return try receive(on: connection, method: request.method, until: deadline)
    }

    /// Reads a reply's head; once its body has been read, the connection is kept.
    func receive(
        on connection: Connection, method: String, until deadline: Deadline
    ) throws -> (ReplyHead, ReplyBody) {
        let head = try connection.readHead(until: deadline)
        let closes = head.status == 101 || head["connection"]?.lowercased() == "close"
        let body = ReplyBody(connection, try Framing(head, method: method)) { [weak self] connection in
            connection.exchanges += 1
            if !closes { self?.idle = connection }
        }
        return (head, body)
    }

    /// Lets go of the kept connection: something on it was left unfinished.
    func forgetConnection() { idle = nil }

    func takeConnection(until deadline: Deadline) throws -> Connection {
        defer { idle = nil }
        // A kept connection that was told of another Ctrl-C watch would not see this one.
        if let idle, idle.interrupts === interrupts, !idle.isOver { return idle }
        return try newConnection(until: deadline)
    }

    func newConnection(until deadline: Deadline) throws -> Connection {
        Connection(try dial(deadline, interrupts), peer: socket, interrupts)
    }
}
