// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One connection: buffered reading and complete writing, each until a deadline.
final class Connection {
    let transport: Transport
    let interrupts: Interrupts?
    /// Named in errors.
    let peer: String
    /// Whether any byte of the present reply has come.
    private(set) var hasReceived = false
    private var hasFinished = false
    /// How many replies were read to their end.
    var exchanges = 0

    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private var start = 0
    private var end = 0

    init(_ transport: Transport, peer: String, _ interrupts: Interrupts?) {
        self.transport = transport
        self.peer = peer
        self.interrupts = interrupts
    }

    deinit { transport.close(half: hasFinished) }

    /// Starts a new request: what came before it does not count as its reply.
    func begin() { hasReceived = start < end }

    /// Whether bytes wait already in the buffer.
    var hasBuffered: Bool { start < end }

    /// Whether a kept connection cannot be used any more: between two requests the daemon says nothing, so
    /// that whatever there is to read is its end.
    var isOver: Bool {
        var entry = pollfd(fd: transport.input, events: Int16(POLLIN), revents: 0)
        return hasBuffered || poll(&entry, 1, 0) != 0
    }

    // MARK: Writing

    /// Writes all of it.
    func write(_ bytes: [UInt8], until deadline: Deadline) throws {
        var sent = 0
        while sent < bytes.count {
            sent += try writeSome(bytes[sent...], until: deadline)
        }
    }

    /// Writes what fits once there is room; stops early, with 0, when the daemon has begun to answer.
    func writeUnlessAnswered(_ bytes: ArraySlice<UInt8>, until deadline: Deadline) throws -> Int {
        let wishes = [Poll.Wish.readable(transport.input), .writable(transport.output)]
        let ready = try Poll.wait(wishes, until: deadline, interrupts)
        return ready[0] ? 0 : try writeSome(bytes, until: deadline)
    }

    private func writeSome(_ bytes: ArraySlice<UInt8>, until deadline: Deadline) throws -> Int {
        while true {
            let count = bytes.withUnsafeBytes { transport.write($0) }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: _ = try Poll.wait([.writable(transport.output)], until: deadline, interrupts)
            default: throw ClientError.lost(socket: peer)
            }
        }
    }

    /// Lets the other side see the end of what is written.
    func finishWriting() {
        guard !hasFinished else { return }
        hasFinished = true
        transport.finishWriting()
    }

    // MARK: Reading

    /// The next bytes, at most `limit`; empty at the end of the stream.
    func read(limit: Int, until deadline: Deadline) throws -> [UInt8] {
        if start == end { try fill(until: deadline) }
        let count = min(limit, end - start)
        defer { start += count }
        return Array(buffer[start..<(start + count)])
    }

    /// Appends exactly `count` bytes to `result`, the larger part of them without a detour.
    func read(exactly count: Int, into result: inout [UInt8], until deadline: Deadline) throws {
        result.reserveCapacity(result.count + count)
        var missing = count
        while missing > 0 {
            let part = try read(limit: missing, until: deadline)
            guard !part.isEmpty else { throw ClientError.lost(socket: peer) }
            result += part
            missing -= part.count
        }
    }

    /// The next line without its line end.
    func readLine(limit: Int, until deadline: Deadline) throws -> String {
        var line: [UInt8] = []
        while true {
            if start == end { try fill(until: deadline) }
            guard start < end else { throw ClientError.lost(socket: peer) }
            let stop = buffer[start..<end].firstIndex(of: 0x0A)
            line += buffer[start..<(stop ?? end)]
            start = stop.map { $0 + 1 } ?? end
            guard line.count <= limit else {
                throw ClientError.malformed("a line of more than \(limit) bytes")
            }
            guard stop == nil else { break }
        }
        if line.last == 0x0D { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
    }

    private func fill(until deadline: Deadline) throws {
        start = 0
        end = 0
        while true {
            let count = buffer.withUnsafeMutableBytes {
                Glibc.read(transport.input, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                end = count
                hasReceived = hasReceived || count > 0
                return
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: _ = try Poll.wait([.readable(transport.input)], until: deadline, interrupts)
            case ECONNRESET: throw ClientError.lost(socket: peer)
            default: throw ClientError.malformed("read: \(String(cString: strerror(errno)))")
            }
        }
    }
}
