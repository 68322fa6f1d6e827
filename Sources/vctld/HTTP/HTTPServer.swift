// SPDX-License-Identifier: Apache-2.0
import Glibc
import Logging
import NIOCore

/// The sockets and everything that is open on them.
struct HTTPServer: Sendable {
    private let listeners: [Listener]
    private let servers: [Listener.Server]
    private let connections: Connections
    private let serving: Task<Void, Never>

    /// Listens on all sockets and begins to serve.
    init(
        sockets: [ListeningSocket], responder: Responder, access: AccessPolicy, limits: Configuration.HTTP,
        logger: Logger
    ) async throws {
        let connections = Connections(maximum: limits.maximumConnections)
        let users = UserNames()
        let listeners = sockets.map {
            Listener(
                socket: $0, responder: responder, access: access, users: users, connections: connections,
                limits: limits, logger: logger)
        }
        var servers: [Listener.Server] = []
        for listener in listeners { servers.append(try await listener.listen()) }
        self.listeners = listeners
        self.servers = servers
        self.connections = connections
        serving = Task { [servers] in
            await withDiscardingTaskGroup { group in
                for (listener, server) in zip(listeners, servers) {
                    group.addTask { await listener.accept(server) }
                }
            }
        }
    }

    /// How many clients are connected.
    var openConnections: Int { connections.count }

    /// Accepts nobody any more, ends all streams, and lets other requests finish within `grace`; what is
    /// still open then is closed.
    func stop(grace: Duration) async {
        for listener in listeners { listener.socket.remove() }
        for server in servers { server.channel.close(promise: nil) }
        connections.stop()
        if await !emptied(within: grace) { connections.closeAll() }
        // A handler in a blocking call of libvirt is not waited for.
        _ = await emptied(within: .seconds(1))
    }

    private func emptied(within time: Duration) async -> Bool {
        let deadline = ContinuousClock.now + time
        while connections.count > 0 {
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return true
    }
}
