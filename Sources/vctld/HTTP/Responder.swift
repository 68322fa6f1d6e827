// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import VctlAPI
import VctlCore

/// Answers requests: finds the route, checks who asks, reads the body, calls the handler, writes the reply.
struct Responder: Sendable {
    /// Notes that a request was refused, for the audit.
    typealias NoteRefusal = @Sendable (RequestContext, _ target: String?, _ code: String) async -> Void
    /// Headers about the daemon as a whole.
    typealias Standing = @Sendable () -> HTTPFields?

    let routes: RouteTable
    let logger: Logger
    let noteRefusal: NoteRefusal
    let standing: Standing
    /// How long a client may go on sending a body that nobody wants, before it is cut off.
    static let linger = TimeAmount.seconds(5)

    /// Answers one request.
    /// - Throws: what ends the connection: the client left, or sent what is no HTTP.
    func respond(
        _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel,
        _ connection: Connection
    ) async throws {
        let started = ContinuousClock.now
        let body = IncomingBody(request)
        var reply: Reply
        var route: Route?
        do {
            let incoming = try await admit(request, body, connection)
            route = incoming.route
            if body.exists, request.headers[.expect] == "100-continue" {
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
            }
            do {
                reply = try await answer(incoming, request)
            } catch let problem as Problem where problem.status == 403 {
                await noteRefusal(incoming.context, incoming.parameters.first, problem.code)
                throw problem
            }
        } catch {
            reply = try recovered(from: error, body, connection)
        }
        finish(&reply, request, body, channel)
        log(request, reply, connection, route, started)
        try await write(reply, writer, connection, isHead: request.method == .head)
    }

    /// The request, if its path, method, caller, query and headers are right.
    private func admit(_ request: Request, _ body: IncomingBody, _ connection: Connection) async throws
        -> Incoming
    {
        guard connection.admitted else {
            throw Problem(
                .daemonBusy, "too many connections are open",
                hint: "close some, or raise http.max_connections")
        }
        guard connection.ended == nil else { throw Self.stopping }
        let target = request.head.path ?? ""
        let end = target.firstIndex(of: "?") ?? target.endIndex
        let match = try routes.match(request.method, target[..<end])
        let context = RequestContext(caller: connection.caller, action: match.route.endpoint.id)
        try await permit(match, context, connection)
        var incoming = Incoming(
            route: match.route, parameters: match.parameters,
            query: end < target.endIndex
                ? try match.route.query.read(target[target.index(after: end)...]) : Query(),
            headers: request.headers, body: body, connection: connection, context: context)
        incoming.context.dryRun = incoming.query.flag("dryRun")
        incoming.context.force = incoming.query.flag("force")
        incoming.context.ifMatch = try EntityTag.expected(request.headers[.ifMatch])
        try BodyRules.check(match.route.endpoint, request.headers, body)
        return incoming
    }

    private func permit(_ match: RouteTable.Match, _ context: RequestContext, _ connection: Connection)
        async throws
    {
        let needed = match.route.endpoint.role
        guard !connection.permitted || context.caller.role < needed else { return }
        await noteRefusal(context, match.parameters.first, ErrorCode.permissionDenied.rawValue)
        let role = connection.permitted ? "the role \(context.caller.role.rawValue)" : "no role"
        let who = context.caller.user ?? "uid \(context.caller.uid)"
        throw Problem(
            .permissionDenied, "\(context.action) needs the role \(needed.rawValue); \(who) has \(role) here",
            hint: "ask the admin of this host; through the read-only socket nobody may do more than look")
    }

    private func answer(_ admitted: Incoming, _ request: Request) async throws -> Reply {
        var incoming = admitted
        let endpoint = incoming.route.endpoint
        if let schema = endpoint.body, !schema.isBytes {
            incoming.json = try await incoming.body.collect(upTo: Wire.maximumBody)
        }
        if endpoint.method == .post {
            incoming.context.idempotency = try IdempotencyKey.read(request, incoming.json)
        }
        guard endpoint.changes else { return try await incoming.route.handler(incoming) }
        // What changes something syncs files, and must not hold up the connections of its event loop.
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { [incoming] in
            try await incoming.route.handler(incoming)
        }
    }

    static let stopping = Problem(.daemonStopping, "the daemon is stopping", hint: "try again in a moment")
}

extension Responder {
    /// The reply to an error; rethrows what only ends the connection.
    private func recovered(from error: any Error, _ body: IncomingBody, _ connection: Connection) throws
        -> Reply
    {
        if let failure = body.failure { throw failure }
        switch error {
        case let problem as Problem: return .problem(problem)
        case let refusal as Refusal:
            var reply = Reply.problem(refusal.problem)
            reply.headers.append(contentsOf: refusal.headers)
            return reply
        case is CancellationError where connection.ended != nil:
            if connection.ended == .clientLeft { throw error }
            return .problem(Self.stopping)
        default:
            let problem = Problem(describing: error)
            guard problem.errorCode == .internalError else { return .problem(problem) }
            logger.error("a request failed for an unknown reason", metadata: ["error": "\(error)"])
            return .problem(Problem(.internalError, "an internal error; the daemon's log says more"))
        }
    }

    /// Adds what concerns the connection and not the answer.
    private func finish(
        _ reply: inout Reply, _ request: Request, _ body: IncomingBody, _ channel: any Channel
    ) {
        if let standing = standing() { reply.headers.append(contentsOf: standing) }
        if case .bytes(let bytes) = reply.body { reply.headers[.contentLength] = String(bytes.readableBytes) }
        if case .none = reply.body, reply.status.code != 204, reply.status.code != 304 {
            reply.headers[.contentLength] = "0"
        }
        if case .upgrade = reply.body { return }
        if request.headers[.upgrade] != nil {
            // Behind such a request NIO reads nothing more as HTTP.
            reply.headers[.connection] = "close"
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        guard !body.isComplete else { return }
        if let announced = body.announced, announced <= Wire.maximumBody, request.headers[.expect] == nil {
            return
        }
        // What is left is read and thrown away, so that the client gets to see the reply; but not for ever.
        reply.headers[.connection] = "close"
        channel.eventLoop.scheduleTask(in: Self.linger) { channel.close(promise: nil) }
    }

    private func write(
        _ reply: Reply, _ writer: consuming ResponseWriter, _ connection: Connection, isHead: Bool
    ) async throws {
        let head = HTTPResponse(status: reply.status, headerFields: reply.headers)
        switch reply.body {
        case _ where isHead: try await writer.writeResponse(head)
        case .none: try await writer.writeResponse(head)
        case .bytes(let bytes): try await writer.write(response: head, body: ResponseBody(byteBuffer: bytes))
        case .stream(let stream):
            var body = try await writer.writeHead(head)
            try await StreamSink.run(stream, to: &body, connection)
            try await body.finish(nil)
        case .upgrade(let session): try await upgrade(head, writer, connection, session)
        }
    }

    /// The session runs even where the client has left already: it has something to give back.
    private func upgrade(
        _ head: HTTPResponse, _ writer: borrowing ResponseWriter, _ connection: Connection,
        _ session: @escaping Reply.Session
    ) async throws {
        let stream = connection.stream
        defer { stream.close() }
        let began: Result<Void, any Error>
        do {
            try await stream.begin()
            try await writer.writeInformationalHead(head)
            began = .success(())
        } catch {
            connection.end(.clientLeft)
            began = .failure(error)
        }
        try await connection.whileThere { await session(stream) }
        try began.get()
    }

    private func log(
        _ request: Request, _ reply: Reply, _ connection: Connection, _ route: Route?,
        _ started: ContinuousClock.Instant
    ) {
        let level: Logger.Level = route?.endpoint.changes == true ? .info : .debug
        guard logger.logLevel <= level else { return }
        let took = started.duration(to: .now)
        logger.log(
            level: level, "\(request.method.rawValue) \(shown(request.head.path ?? "", limit: 200))",
            metadata: [
                "status": "\(reply.status.code)", "took": "\(took)", "uid": "\(connection.caller.uid)",
                "pid": "\(connection.caller.pid)",
            ])
    }
}
