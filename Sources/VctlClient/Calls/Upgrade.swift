// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// What a connection has become: bytes in both directions, as they are.
public final class ByteChannel {
    /// The head of the reply that began it.
    public let head: ReplyHead
    private let connection: Connection
    private var isWriting = true

    init(_ connection: Connection, head: ReplyHead) {
        self.connection = connection
        self.head = head
    }

    /// The descriptor to poll for more to read.
    public var input: Int32 { connection.transport.input }
    /// The descriptor to poll for room to write.
    public var output: Int32 { connection.transport.output }
    /// Whether bytes have come already, so that polling would miss them.
    public var hasBuffered: Bool { connection.hasBuffered }

    /// The next bytes; `nil` at the end, which may come suddenly.
    public func read(until deadline: Deadline = .never) throws -> [UInt8]? {
        do {
            let bytes = try connection.read(limit: 65_536, until: deadline)
            return bytes.isEmpty ? nil : bytes
        } catch ClientError.lost {
            return nil
        }
    }

    /// Writes what there is room for, and does not wait: at least nothing.
    /// - Returns: how much it was; `nil` where the other side reads no more.
    public func write(_ bytes: ArraySlice<UInt8>) -> Int? {
        while isWriting {
            let count = bytes.withUnsafeBytes { connection.transport.write($0) }
            if count >= 0 { return count }
            if errno == EAGAIN { return 0 }
            if errno != EINTR { return nil }
        }
        return nil
    }

    /// Says that no more will be written. What is still to be read comes all the same.
    public func finishWriting() {
        guard isWriting else { return }
        isWriting = false
        connection.finishWriting()
    }
}

extension Client {
    /// Sends a request that turns its connection, which is a new one, into a stream.
    /// - Throws: `Problem` where the daemon refuses, else ``ClientError``.
    public func upgrade(
        _ request: Request, to name: String, until deadline: Deadline = .never
    ) throws -> ByteChannel {
        let limit = limit(deadline)
        let connection = try newConnection(until: limit)
        let request = request.header("Connection", "Upgrade").header("Upgrade", name)
        connection.begin()
        try connection.write(request.head(contentLength: nil), until: limit)
        let (head, body) = try receive(on: connection, method: request.method, until: limit)
        if head.status == 101 { return ByteChannel(connection, head: head) }
        let reply = Reply(head: head, bytes: try body.rest(until: limit))
        throw reply.problem ?? ClientError.malformed("status \(head.status) where 101 was to come")
    }
}
