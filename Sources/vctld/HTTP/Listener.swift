// SPDX-License-Identifier: Apache-2.0
import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import VctlAPI
import VctlCore

/// The accept loop of one socket. Hummingbird's own server knows neither a socket's mode nor its peer's
/// credentials, nor sockets that systemd opened; what it does for one connection is used as it is.
struct Listener: Sendable {
    typealias Server = NIOAsyncChannel<Void, Never>

    let socket: ListeningSocket
    let responder: Responder
    let access: AccessPolicy
    let users: UserNames
    let connections: Connections
    let limits: Configuration.HTTP
    let logger: Logger

    /// Takes the socket into the event loop. Clients are accepted and served once ``accept(_:)`` runs.
    func listen() async throws -> Server {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptErrors(logger: logger))
                }
            }
            // A client that has said all may close its half, and still wait for the reply.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(socket.descriptor) { channel in admit(channel) }
    }

    /// Accepts until the server's channel is closed.
    func accept(_ server: Server) async {
        do {
            try await server.executeThenClose { clients in
                for try await _ in clients {}
            }
        } catch {
            logger.error("no more connections on \(socket.path)", metadata: ["error": "\(error)"])
        }
    }

    /// On the channel's event loop: who is it, and may it stay?
    private func admit(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let admitted = connections.admission,
            let peer = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self, { Peer(socket: $0) }), let peer
        else { return channel.close().flatMapErrorThrowing { _ in } }
        let role = access.role(of: peer, on: socket.kind)
        let caller = Caller(
            uid: Int(peer.uid), user: users.name(of: peer.uid), pid: Int(peer.pid), role: role ?? .viewer)
        let raw = RawStream()
        let connection = Connection(
            caller: caller, permitted: role != nil, admitted: admitted, stream: ClientStream(raw, channel))
        connections.add(connection, channel)
        do {
            let stall = StallHandler(timeout: .seconds(Int64(limits.stallSeconds)))
            try channel.pipeline.syncOperations.addHandlers([stall, raw])
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        let http = http(connection)
        return http.setup(channel: channel, logger: logger).map { value in
            // From here, and not by way of the server's sequence: at its end it drops what nobody has taken,
            // and NIO ends the process for a channel that is dropped unserved.
            Task(executorPreference: LoopExecutor(channel.eventLoop)) {
                await http.handle(value: value, logger: logger)
            }
        }
    }

    private func http(_ connection: Connection) -> HTTP1Channel {
        let idle = connection.admitted ? limits.idleSeconds : min(limits.idleSeconds, 5)
        var configuration = HTTP1Channel.Configuration(idleTimeout: .seconds(Int64(idle)))
        configuration.httpDecoder = .init(
            maxHeaderFieldSize: 16_384, maxHeaderListSize: 65_536, maxHeaderFieldCount: 100)
        return HTTP1Channel(
            responder: { request, writer, channel in
                try await responder.respond(request, writer, channel, connection)
            }, configuration: configuration)
    }
}

/// A failed accept (too many open files, a client that left at once) must not end the accepting.
private final class AcceptErrors: ChannelInboundHandler, Sendable {
    typealias InboundIn = any Channel
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.warning("a connection could not be accepted", metadata: ["error": "\(error)"])
    }
}
