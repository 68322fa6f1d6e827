// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A connection for a daemon: opens, notices the end, opens again, and brings the events of all of them.
///
/// While there is none, `connection()` throws at once. Each new connection has a higher generation; handles
/// of an older one throw `noConnect`, and everything may have changed between the two.
public final class ManagedConnection: Sendable {
    /// Whether there is a connection.
    public enum State: Sendable, Equatable {
        /// Not yet opened.
        case connecting
        /// There is one; how many there were with it.
        case connected(generation: UInt64)
        /// There is none, and why; it is tried again.
        case disconnected(LibvirtError)
        /// `close` was called.
        case closed
    }

    /// How it behaves.
    public struct Configuration: Sendable {
        /// libvirt's URI.
        public var uri: String
        /// Whether only reading is allowed.
        public var readOnly = false
        /// How a silent daemon is noticed; nil leaves that to TCP or the Unix socket.
        public var keepAlive: Connection.KeepAlive? = Connection.KeepAlive()
        /// The first pause before a new attempt; doubles each time.
        public var firstRetry: Duration = .milliseconds(100)
        /// The longest pause.
        public var longestRetry: Duration = .seconds(5)

        /// The defaults for a URI.
        public init(uri: String) {
            self.uri = uri
        }
    }

    struct Inner {
        var state = State.connecting
        var current: Connection?
        var spare: [Spare: Connection] = [:]
        var generation: UInt64 = 0
        var nextID = 0
        var queues: [Int: EventQueue] = [:]
        var watchers: [Int: AsyncStream<State>.Continuation] = [:]
        var supervisor: Task<Void, Never>?
    }

    let configuration: Configuration
    let inner = Mutex(Inner())

    /// Begins at once to open a connection; call `close` at the end.
    public init(_ configuration: Configuration) {
        self.configuration = configuration
        let task = Task { await self.supervise() }
        inner.withLock { $0.supervisor = task }
    }

    /// What it is at.
    public var state: State {
        inner.withLock { $0.state }
    }

    /// How many connections there were.
    public var generation: UInt64 {
        inner.withLock { $0.generation }
    }

    /// The connection that stands; never waits.
    /// - Throws: `LibvirtError` with `noConnect` and the reason if there is none.
    public func connection() throws -> Connection {
        try inner.withLock { inner in
            if let current = inner.current, current.closed == nil { return current }
            throw inner.absence
        }
    }

    /// A second connection, on `LibvirtExecutor.long`, for calls that take minutes.
    ///
    /// Opened when first asked for, and anew when the last one was lost or abandoned.
    /// - Throws: `LibvirtError`, at once if the main connection is missing.
    public func longConnection() async throws -> Connection { try await spare(.long) }

    /// What a second connection is for, and the threads of its calls.
    public enum Spare: Sendable, CaseIterable {
        /// What takes minutes.
        case long
        /// Questions about storage pools: libvirtd holds up all of them while it waits for the server of one.
        case pools
        /// Changes of storage pools, which wait for their servers.
        case poolChanges

        var executor: LibvirtExecutor {
            switch self {
            case .long: .long
            case .pools, .poolChanges: .storage
            }
        }
    }

    /// A second connection, opened when first asked for, and anew when the last one was lost or abandoned.
    /// - Throws: `LibvirtError`, at once if the main connection is missing.
    public func spare(_ spare: Spare) async throws -> Connection {
        let main = try connection()
        // The test driver's domains belong to one connection: a second one would meet another host.
        if configuration.uri.hasPrefix("test:") { return main }
        if let standing = standing(spare) { return standing }
        let opened = try await Connection.open(
            uri: configuration.uri, readOnly: configuration.readOnly, keepAlive: configuration.keepAlive,
            executor: spare.executor)
        return try adopt(opened, as: spare)
    }

    private func standing(_ spare: Spare) -> Connection? {
        inner.withLock { $0.spare[spare]?.closed == nil ? $0.spare[spare] : nil }
    }

    /// Keeps a freshly opened one, unless another task was faster.
    private func adopt(_ opened: Connection, as spare: Spare) throws -> Connection {
        try inner.withLock { inner in
            if inner.state == .closed { throw inner.absence }
            if let standing = inner.spare[spare], standing.closed == nil { return standing }
            inner.spare[spare] = opened
            return opened
        }
    }

    /// The state now and after each change, for one reader. A slow reader sees the latest only.
    public func states() -> AsyncStream<State> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: State.self, bufferingPolicy: .bufferingNewest(1))
        let id = inner.withLock { inner in
            inner.nextID += 1
            continuation.yield(inner.state)
            if inner.state == .closed { continuation.finish() }
            inner.watchers[inner.nextID] = continuation
            return inner.nextID
        }
        continuation.onTermination = { [weak self] _ in
            self?.inner.withLock { _ = $0.watchers.removeValue(forKey: id) }
        }
        return stream
    }

    /// All events from now on, for one reader, in libvirt's order.
    ///
    /// If a connection stands it begins with `reconnected`, so that the reader reads everything first.
    /// - Parameter limit: how many may wait for the reader before they are thrown away for one `overflow`.
    public func events(limit: Int = 4096) -> AsyncStream<LibvirtEvent> {
        let queue = EventQueue(limit: limit)
        let id = inner.withLock { inner in
            inner.nextID += 1
            inner.queues[inner.nextID] = queue
            if case .connected(let generation) = inner.state {
                queue.push(.reconnected(generation: generation))
            }
            if inner.state == .closed { queue.finish() }
            return inner.nextID
        }
        return queue.stream { [weak self] in
            self?.inner.withLock { _ = $0.queues.removeValue(forKey: id) }
        }
    }

    /// Waits until there is a connection.
    /// - Throws: `LibvirtError` after `close`, `CancellationError`.
    public func waitUntilConnected() async throws -> Connection {
        for await state in states() {
            if case .connected = state, let connection = try? connection() { return connection }
        }
        try Task.checkCancellation()
        throw LibvirtError.notConnected("the connection was closed")
    }

    /// Ends it: closes the connections and ends all streams.
    public func close() {
        let supervisor = inner.withLock { $0.supervisor }
        supervisor?.cancel()
        finish()
    }
}

extension ManagedConnection.Inner {
    /// Why there is no connection.
    var absence: LibvirtError {
        switch state {
        case .disconnected(let error): .notConnected(error.message)
        case .connecting: .notConnected("not yet connected")
        case .connected: .notConnected("the connection was lost")
        case .closed: .notConnected("the connection was closed")
        }
    }
}
