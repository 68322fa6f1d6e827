// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials

/// One conversation with a hypervisor. Handles got from it keep it alive; the last one to go closes it.
///
/// Calls block a thread of `executor`, never one of Swift's. A call cannot be cancelled: what must not hang
/// is ended by `abandon()`, which ends *every* call of the connection, so such calls want one of their own.
public final class Connection: @unchecked Sendable {
    // SAFETY: a virConnectPtr may be used from any thread; all else is immutable or locks by itself.

    /// How to notice a peer that no longer answers.
    public struct KeepAlive: Sendable {
        /// Seconds of silence before a ping.
        public var interval: Int32
        /// How many pings may stay unanswered before the connection counts as lost.
        public var count: UInt32

        /// Pings after `interval` seconds of silence; `count` unanswered ones end the connection.
        public init(interval: Int32 = 5, count: UInt32 = 5) {
            self.interval = interval
            self.count = count
        }
    }

    /// The URI it was opened with.
    public let uri: String
    /// Whether only reading is allowed.
    public let isReadOnly: Bool
    /// Where its calls run.
    public let executor: LibvirtExecutor

    let raw: OpaquePointer
    let fate: ConnectionFate
    private let socket: DaemonSocket?

    /// Opens a connection; blocks its executor's thread, for as long as the daemon keeps it waiting.
    ///
    /// The first one starts the event loop. A driver that knows no keepalive goes without.
    /// - Throws: `LibvirtError`.
    public static func open(
        uri: String, readOnly: Bool = false, keepAlive: KeepAlive? = KeepAlive(),
        executor: LibvirtExecutor = .shared
    ) async throws -> Connection {
        EventLoop.start()
        return try await executor.run {
            let (raw, socket) = try DaemonSocket.noticing {
                try checkHandle(readOnly ? virConnectOpenReadOnly(uri) : virConnectOpen(uri))
            }
            let connection = Connection(
                taking: raw, uri: uri, readOnly: readOnly, executor: executor, socket: socket)
            try connection.prepare(keepAlive)
            return connection
        }
    }

    private init(
        taking raw: OpaquePointer, uri: String, readOnly: Bool, executor: LibvirtExecutor,
        socket: DaemonSocket?
    ) {
        self.raw = raw
        self.uri = uri
        self.executor = executor
        self.socket = socket
        isReadOnly = readOnly
        fate = ConnectionFate()
    }

    deinit {
        // The last close talks to the daemon, so it may not run on whatever thread we are on.
        let address = Int(bitPattern: raw)
        fate.end(.notConnected("the connection was closed"))
        executor.later { [socket] in
            guard let raw = OpaquePointer(bitPattern: address) else { return }
            virConnectUnregisterCloseCallback(raw, connectionClosed)
            virConnectClose(raw)
            socket?.release()
        }
    }

    private func prepare(_ keepAlive: KeepAlive?) throws {
        let opaque = Unmanaged.passRetained(fate).toOpaque()
        guard virConnectRegisterCloseCallback(raw, connectionClosed, opaque, releaseFate) == 0 else {
            Unmanaged<ConnectionFate>.fromOpaque(opaque).release()
            throw LibvirtError.last()
        }
        guard let keepAlive, virConnectSetKeepAlive(raw, keepAlive.interval, keepAlive.count) < 0 else {
            return
        }
        let error = LibvirtError.last()
        guard error.code == .noSupport else { throw error }
    }

    /// Makes a blocking call with the connection, on its executor.
    func call<T: Sendable>(_ body: @Sendable (OpaquePointer) throws -> T) async throws -> T {
        try requireOpen()
        return try await executor.run { try body(self.raw) }
    }

    func requireOpen() throws {
        if let error = fate.error { throw error }
    }

    /// Why it ended, or nil while it lasts. Asks nobody.
    public var closed: LibvirtError? {
        fate.error
    }

    /// Waits for the end of the connection, and says why it ended.
    /// - Throws: `CancellationError` when the task is cancelled first.
    public func waitUntilClosed() async throws -> LibvirtError {
        try await fate.wait()
    }

    /// Ends the connection: later calls throw `noConnect`, running ones finish.
    ///
    /// libvirt's own connection goes with the last handle that was got from this one.
    public func close() {
        fate.end(.notConnected("the connection was closed"))
    }

    /// Breaks the connection off: running calls fail at once, later ones throw `noConnect`.
    ///
    /// This is the only way to end a call that hangs. What such a call was doing may still happen.
    /// Works for daemons behind a Unix socket; elsewhere it is `close()`.
    /// - Returns: whether the running calls were really cut off.
    @discardableResult
    public func abandon() -> Bool {
        fate.end(.notConnected("the connection was abandoned"))
        return socket?.cut() ?? false
    }

    /// Runs `body`; if it takes longer than `limit`, abandons this connection, so that `body` fails.
    /// - Throws: what `body` throws.
    public func abandoning<T: Sendable>(
        after limit: Duration, _ body: @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Task.sleep(for: limit)
                self.abandon()
            }
            defer { group.cancelAll() }
            return try await body()
        }
    }
}

/// The connection's close callback: one pointer, since libvirt unregisters by it.
private let connectionClosed: virConnectCloseFunc = { _, reason, opaque in
    guard let opaque else { return }
    let fate = Unmanaged<ConnectionFate>.fromOpaque(opaque).takeUnretainedValue()
    fate.end(.notConnected(closeReason(reason)))
}

private let releaseFate: virFreeCallback = { opaque in
    opaque.map { Unmanaged<ConnectionFate>.fromOpaque($0).release() }
}

private func closeReason(_ reason: Int32) -> String {
    switch UInt32(bitPattern: reason) {
    case VIR_CONNECT_CLOSE_REASON_EOF.rawValue: "the daemon closed the connection"
    case VIR_CONNECT_CLOSE_REASON_KEEPALIVE.rawValue: "the daemon no longer answers"
    case VIR_CONNECT_CLOSE_REASON_CLIENT.rawValue: "the connection was closed"
    default: "the connection broke"
    }
}
