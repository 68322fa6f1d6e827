// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import Synchronization

/// Bytes to and from libvirt: a console, a channel, a volume's contents, a picture of the screen.
///
/// Reading and writing may go on at the same time, from one task each. No thread waits for a silent peer.
/// End it with `finish` or `abort`; one that is dropped is aborted.
public final class ByteStream: Handle, @unchecked Sendable {
    // SAFETY: a virStreamPtr may be used from any thread; all else is immutable or locks by itself.
    let raw: OpaquePointer
    /// The connection it runs over.
    public let connection: Connection

    private let pump: StreamPump
    private let isOver = Mutex(false)
    private let fateID: Int

    /// Makes a stream, lets `attach` connect it, and begins to receive.
    static func attached(
        on connection: Connection, limit: Int = .max, _ attach: @Sendable (OpaquePointer) throws -> Void
    ) async throws -> ByteStream {
        try await attached(on: connection, limit: limit, attach).0
    }

    /// The same, with what `attach` found out.
    static func attached<T: Sendable>(
        on connection: Connection, limit: Int = .max, _ attach: @Sendable (OpaquePointer) throws -> T
    ) async throws -> (ByteStream, T) {
        try await connection.call { connectionRaw in
            let stream = try checkHandle(virStreamNew(connectionRaw, VIR_STREAM_NONBLOCK.rawValue))
            do {
                let found = try attach(stream)
                let pump = StreamPump(limit: limit)
                try pump.start(on: stream)
                return (ByteStream(taking: stream, of: connection, pump: pump), found)
            } catch {
                virStreamFree(stream)
                throw error
            }
        }
    }

    private init(taking raw: OpaquePointer, of connection: Connection, pump: StreamPump) {
        self.raw = raw
        self.connection = connection
        self.pump = pump
        // libvirt does not tell a stream that its connection is lost.
        fateID = connection.fate.whenEnded { pump.end($0) }
    }

    deinit {
        connection.fate.forget(fateID)
        let mustAbort = isOver.withLock { !$0 }
        let address = Int(bitPattern: raw)
        // Aborting asks the daemon. The connection must live until the stream is free.
        connection.executor.later { [connection] in
            guard let raw = OpaquePointer(bitPattern: address) else { return }
            if mustAbort {
                virStreamEventRemoveCallback(raw)
                virStreamAbort(raw)
            }
            virStreamFree(raw)
            withExtendedLifetime(connection) {}
        }
    }

    /// The next bytes, at least one; nil at the end.
    /// - Throws: `LibvirtError`, `overflow` if too much was waiting to be read; `CancellationError`.
    public func read() async throws -> [UInt8]? {
        try await pump.read()
    }

    /// The bytes as they come. Ends with the stream, with an error, or quietly when the task is cancelled.
    public var chunks: AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream(unfolding: {
            do {
                return try await self.read()
            } catch is CancellationError {
                return nil
            }
        })
    }

    /// Sends all the bytes; waits as long as the other side cannot take more.
    /// - Throws: `LibvirtError`, `CancellationError`; some of the bytes may have been sent then.
    public func write(_ bytes: [UInt8]) async throws {
        var sent = 0
        while sent < bytes.count {
            try Task.checkCancellation()
            let count = try await send(bytes[sent...])
            if count == 0 { try await pump.waitUntilWritable(self) }
            sent += count
        }
    }

    /// - Returns: how many were taken; 0 if there is no room now.
    private func send(_ bytes: ArraySlice<UInt8>) async throws -> Int {
        try requireRunning()
        return try await call { raw in
            let result = bytes.withUnsafeBytes { buffer in
                virStreamSend(raw, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
            }
            return result == -2 ? 0 : Int(try check(result))
        }
    }

    /// Says that all was sent, or that all was read, and waits until the other side agrees.
    /// - Throws: `LibvirtError`: an upload failed if this fails.
    public func finish() async throws {
        guard takeEnd() else { return }
        try await call { raw in
            virStreamEventRemoveCallback(raw)
            try check(virStreamFinish(raw))
        }
    }

    /// Breaks it off; a reader sees the end.
    public func abort() async {
        guard takeEnd() else { return }
        _ = try? await call { raw in
            virStreamEventRemoveCallback(raw)
            try check(virStreamAbort(raw))
        }
    }

    /// True for the first who asks.
    private func takeEnd() -> Bool {
        defer { pump.end(nil) }
        return isOver.withLock { over in
            defer { over = true }
            return !over
        }
    }

    /// Whether more bytes came than could wait.
    var isOverflowed: Bool { pump.error?.code == .overflow }

    private func requireRunning() throws {
        guard isOver.withLock({ !$0 }) else {
            throw LibvirtError(code: .operationInvalid, message: "the stream has ended")
        }
    }
}
