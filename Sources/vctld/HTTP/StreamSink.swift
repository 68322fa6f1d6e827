// SPDX-License-Identifier: Apache-2.0
import HummingbirdCore
import NIOCore

/// Where a stream writes. Its handler runs in a task of its own, which can be cancelled while the
/// connection's task still ends the reply in order. One piece at a time is on its way: who writes waits until
/// the client took it.
struct StreamSink: Sendable {
    fileprivate let pieces: AsyncStream<ByteBuffer>.Continuation
    fileprivate let taken: AsyncStream<Void>

    /// Sends a piece, and waits until the socket has room for more.
    /// - Throws: `CancellationError` when the stream has to end.
    func write(_ piece: ByteBuffer) async throws {
        pieces.yield(piece)
        var iterator = taken.makeAsyncIterator()
        guard await iterator.next() != nil else { throw CancellationError() }
    }

    /// Runs `stream`, and writes what it says to `writer` until it ends, the client leaves, or the daemon
    /// stops.
    static func run(
        _ stream: @escaping Reply.Stream, to writer: inout some ResponseBodyWriter, _ connection: Connection
    ) async throws {
        let (pieces, piece) = AsyncStream<ByteBuffer>.makeStream()
        let (taken, take) = AsyncStream<Void>.makeStream()
        let sink = StreamSink(pieces: piece, taken: taken)
        let producer = Task {
            defer { piece.finish() }
            try await connection.whileThere { try await stream(sink) }
        }
        defer { producer.cancel() }
        for await bytes in pieces {
            try await writer.write(bytes)
            take.yield()
        }
        do {
            try await producer.value
        } catch is CancellationError where connection.ended == .stopping {
            // The stream ends in order: the client may take it up again elsewhere.
        }
    }
}
