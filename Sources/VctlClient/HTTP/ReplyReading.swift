// SPDX-License-Identifier: Apache-2.0

extension Connection {
    /// Reads the head of a reply; `100 Continue` and its like are passed over.
    func readHead(until deadline: Deadline) throws -> ReplyHead {
        while true {
            let head = try readOneHead(until: deadline)
            guard (100..<200).contains(head.status), head.status != 101 else { return head }
        }
    }

    private func readOneHead(until deadline: Deadline) throws -> ReplyHead {
        let line = try readLine(limit: 8192, until: deadline)
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]),
            (100...999).contains(status)
        else { throw ClientError.malformed("no HTTP: \"\(line.prefix(60))\"") }
        var headers: [(name: String, value: String)] = []
        while true {
            let line = try readLine(limit: 65_536, until: deadline)
            if line.isEmpty { return ReplyHead(status: status, headers: headers) }
            guard headers.count < 200 else { throw ClientError.malformed("more than 200 headers") }
            guard let colon = line.firstIndex(of: ":") else {
                throw ClientError.malformed("header \"\(line)\"")
            }
            let value = line[line.index(after: colon)...]
            headers.append((line[..<colon].lowercased(), trimmed(value)))
        }
    }
}

private func trimmed(_ text: Substring) -> String {
    var text = text
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
}

/// How a reply's body ends.
enum Framing {
    case empty
    case length(Int)
    case chunked
    case untilClose

    init(_ head: ReplyHead, method: String) throws {
        if method == "HEAD" || head.status == 204 || head.status == 304 || head.status < 200 {
            self = .empty
        } else if let coding = head["transfer-encoding"] {
            guard coding.lowercased() == "chunked" else { throw ClientError.malformed("coding \(coding)") }
            self = .chunked
        } else if let text = head["content-length"] {
            guard let length = Int(text), length >= 0 else { throw ClientError.malformed("length \(text)") }
            self = length == 0 ? .empty : .length(length)
        } else {
            self = .untilClose
        }
    }
}

/// The body of a reply, part by part.
public final class ReplyBody {
    private let connection: Connection
    private var framing: Framing
    private var chunkLeft = 0
    private let finish: (Connection) -> Void
    private(set) var isFinished = false

    init(_ connection: Connection, _ framing: Framing, onFinish finish: @escaping (Connection) -> Void) {
        self.connection = connection
        self.framing = framing
        self.finish = finish
        if case .empty = framing { end(reusable: true) }
    }

    /// The descriptor to poll for more.
    public var descriptor: Int32 { connection.transport.input }
    /// Whether bytes have come already, so that polling would miss them.
    public var hasBuffered: Bool { connection.hasBuffered }

    /// The next part; `nil` at the end.
    /// - Throws: ``ClientError/lost(socket:)`` where the stream ends before the body does.
    public func next(until deadline: Deadline = .never) throws -> [UInt8]? {
        guard !isFinished else { return nil }
        switch framing {
        case .empty: return nil
        case .length(let left): return try nextOf(left, until: deadline)
        case .chunked: return try nextChunk(until: deadline)
        case .untilClose: return try nextUntilClose(until: deadline)
        }
    }

    /// All that is left.
    public func rest(until deadline: Deadline = .never) throws -> [UInt8] {
        var result: [UInt8] = []
        if case .length(let left) = framing { result.reserveCapacity(min(left, 1 << 26)) }
        while let part = try next(until: deadline) { result += part }
        return result
    }

    private func nextOf(_ left: Int, until deadline: Deadline) throws -> [UInt8] {
        let part = try required(left, until: deadline)
        framing = .length(left - part.count)
        if part.count == left { end(reusable: true) }
        return part
    }

    private func nextChunk(until deadline: Deadline) throws -> [UInt8]? {
        if chunkLeft == 0 {
            chunkLeft = try chunkSize(until: deadline)
        }
        guard chunkLeft > 0 else {
            while try !connection.readLine(limit: 65_536, until: deadline).isEmpty {}
            end(reusable: true)
            return nil
        }
        let part = try required(chunkLeft, until: deadline)
        chunkLeft -= part.count
        // Left in the buffer, the end of the line would look like more of the body to whoever polls.
        if chunkLeft == 0 { _ = try connection.readLine(limit: 16, until: deadline) }
        return part
    }

    private func chunkSize(until deadline: Deadline) throws -> Int {
        let line = try connection.readLine(limit: 4096, until: deadline)
        let digits = line.prefix { $0.isHexDigit }
        guard let size = Int(digits, radix: 16), size >= 0 else {
            throw ClientError.malformed("chunk \"\(line.prefix(40))\"")
        }
        return size
    }

    private func nextUntilClose(until deadline: Deadline) throws -> [UInt8]? {
        let part = try connection.read(limit: 65_536, until: deadline)
        guard part.isEmpty else { return part }
        end(reusable: false)
        return nil
    }

    private func required(_ limit: Int, until deadline: Deadline) throws -> [UInt8] {
        let part = try connection.read(limit: limit, until: deadline)
        guard !part.isEmpty else { throw ClientError.lost(socket: connection.peer) }
        return part
    }

    private func end(reusable: Bool) {
        isFinished = true
        if reusable { finish(connection) }
    }
}
