// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc
import Testing

/// A client that sends exactly the bytes it is told to, and reads with a deadline.
final class UnixClient {
    private(set) var descriptor: Int32
    private var pending: [UInt8] = []

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        try #require(chost_unix_address(path, &address) == 0)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(connected == 0, "connect: \(errno)")
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { leave() }

    /// Closes the connection.
    func leave() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    /// Sends everything; `false` when the other side has closed.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let sent = bytes[offset...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            offset += sent
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Says that nothing more will be sent.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// One request without a body.
    func get(_ path: String, method: String = "GET", headers: String = "") throws -> Answer {
        send("\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(headers)\r\n")
        return try answer(isHead: method == "HEAD")
    }

    /// One request with a body.
    func send(
        _ method: String, _ path: String, _ body: String, type: String = "application/json",
        headers: String = ""
    )
        throws -> Answer
    {
        send(
            "\(method) \(path) HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\n"
                + "Content-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
        return try answer()
    }

    /// Reads one reply.
    func answer(isHead: Bool = false) throws -> Answer {
        let head = try read(until: "\r\n\r\n")
        var lines = head.split(separator: "\r\n")
        let status = try #require(Int(lines.removeFirst().split(separator: " ")[1]))
        var headers: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        var body = ""
        if !isHead, let length = headers["content-length"].flatMap(Int.init) {
            body = try read(count: length)
        }
        return Answer(status: status, headers: headers, body: body)
    }

    /// Reads up to and with `mark`.
    func read(until mark: String) throws -> String {
        let mark = Array(mark.utf8)
        var searched = 0
        while true {
            if pending.count >= mark.count {
                for start in searched...(pending.count - mark.count)
                where pending[start...].starts(with: mark) {
                    return take(start + mark.count)
                }
                searched = pending.count - mark.count + 1
            }
            try #require(more(), "the connection ended in front of \(mark)")
        }
    }

    private func read(count: Int) throws -> String {
        while pending.count < count { try #require(more(), "the connection ended in a body") }
        return take(count)
    }

    /// Whether the other side has closed, with everything before that read.
    func isClosed() -> Bool {
        while more() {}
        return true
    }

    /// Everything until the other side closes.
    func rest() -> String {
        while more() {}
        return take(pending.count)
    }

    private func take(_ count: Int) -> String {
        defer { pending.removeFirst(count) }
        return String(decoding: pending.prefix(count), as: UTF8.self)
    }

    private func more() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else {
            if count < 0, errno == EAGAIN { Issue.record("nothing came within 20 seconds") }
            return false
        }
        pending += buffer.prefix(count)
        return true
    }
}

struct Answer {
    var status: Int
    var headers: [String: String]
    var body: String
}
