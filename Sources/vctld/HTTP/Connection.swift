// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization
import VctlAPI
import VctlCore

/// One client: who it is, what it may do, and what it waits for.
final class Connection: Sendable {
    /// Why a stream was ended.
    enum End: Error { case clientLeft, stopping }

    private struct State {
        var end: End?
        var cancel: (@Sendable () -> Void)?
    }

    let caller: Caller
    /// `false`: the peer has no role at all.
    let permitted: Bool
    /// `false`: there are too many, and this one is only told so.
    let admitted: Bool
    /// The socket below HTTP.
    let stream: ClientStream
    private let state = Mutex(State())

    init(caller: Caller, permitted: Bool, admitted: Bool, stream: ClientStream) {
        self.caller = caller
        self.permitted = permitted
        self.admitted = admitted
        self.stream = stream
    }

    /// Why this connection's stream must end; `nil` while it may go on.
    var ended: End? { state.withLock { $0.end } }

    /// Ends the present wait or stream, and every later one at once. Other requests go on: what they change
    /// must not be cut off in the middle.
    func end(_ reason: End) {
        let cancel = state.withLock { state in
            if state.end == nil { state.end = reason }
            return state.cancel
        }
        cancel?()
    }

    /// Runs `body` in a task that is cancelled when the client leaves or the daemon stops: a handler that
    /// waits would otherwise never learn of either. The task of the connection itself stays, and can still
    /// write the reply.
    func whileThere<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        let task = Task { try await body() }
        let ended = state.withLock { state in
            state.cancel = { task.cancel() }
            return state.end
        }
        defer { state.withLock { $0.cancel = nil } }
        if ended != nil { task.cancel() }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

/// The connections that are open now.
final class Connections: Sendable {
    private struct State {
        var open: [ObjectIdentifier: (connection: Connection, channel: any Channel)] = [:]
        var stopping = false
    }

    private let state = Mutex(State())
    let maximum: Int
    /// Beyond the maximum so many more are let in, only to be told that there are too many.
    static let refusals = 64

    init(maximum: Int) { self.maximum = maximum }

    var count: Int { state.withLock { $0.open.count } }

    /// How the next connection is treated; `nil`: closed without a word.
    var admission: Bool? {
        let count = count
        return count < maximum ? true : count < maximum + Self.refusals ? false : nil
    }

    /// Keeps the connection until its channel closes.
    func add(_ connection: Connection, _ channel: any Channel) {
        let stopping = state.withLock { state in
            state.open[ObjectIdentifier(connection)] = (connection, channel)
            return state.stopping
        }
        channel.closeFuture.whenComplete { _ in
            connection.end(.clientLeft)
            self.state.withLock { $0.open[ObjectIdentifier(connection)] = nil }
        }
        if stopping { Self.quiesce(connection, channel) }
    }

    /// Ends all streams, closes idle connections, and lets the others finish their request.
    func stop() {
        let open = state.withLock { state in
            state.stopping = true
            return Array(state.open.values)
        }
        for (connection, channel) in open { Self.quiesce(connection, channel) }
    }

    /// Closes what is still open.
    func closeAll() {
        let open = state.withLock { Array($0.open.values) }
        for (_, channel) in open { channel.close(mode: .all, promise: nil) }
    }

    private static func quiesce(_ connection: Connection, _ channel: any Channel) {
        connection.end(.stopping)
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
}
