// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Synchronization

/// A Unix socket that answers with exactly the bytes that a test gives it, connection after connection.
final class RawServer: Sendable {
    /// What the server does on a connection, in order; then it closes.
    enum Step: Sendable {
        /// Reads one request with its body.
        case request
        /// Sends bytes as they are.
        case send(String)
        /// Sends bytes one by one, each in a write of its own.
        case trickle(String)
        /// Reads until the client has said all, and says nothing for so many seconds more.
        case silence(seconds: UInt32)
        /// Keeps the connection open until the client is gone, also after it has said all that it will.
        case hold
    }

    let path: String
    private let received = Mutex<[String]>([])
    private let ends = Mutex(0)
    private let listener: Int32

    /// Listens; the connections are served in order on a thread of their own.
    init(_ connections: [[Step]]) throws {
        path = "/tmp/vctl-test-\(UUID().uuidString.prefix(13)).sock"
        listener = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 16) == 0 else { throw POSIXError(.EADDRINUSE) }
        Thread { [self] in for steps in connections { serve(steps) } }.start()
    }

    deinit {
        close(listener)
        unlink(path)
    }

    /// The requests that were read so far, whole.
    var requests: [String] { received.withLock { $0 } }

    /// How many connections it has closed.
    var closed: Int { ends.withLock { $0 } }

    private func serve(_ steps: [Step]) {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        for step in steps {
            switch step {
            case .request: readRequest(connection)
            case .send(let text): write(text, connection, pieces: text.utf8.count)
            case .trickle(let text): write(text, connection, pieces: 1)
            case .silence(let seconds):
                readToEnd(connection)
                sleep(seconds)
            case .hold:
                readToEnd(connection)
                var entry = pollfd(fd: connection, events: 0, revents: 0)
                _ = poll(&entry, 1, -1)
            }
        }
        close(connection)
        ends.withLock { $0 += 1 }
    }

    private func write(_ text: String, _ connection: Int32, pieces: Int) {
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            let part = Array(bytes[at..<min(at + max(pieces, 1), bytes.count)])
            let count = send(connection, part, part.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            at += count
        }
    }

    private func readToEnd(_ connection: Int32) {
        var byte: UInt8 = 0
        while recv(connection, &byte, 1, 0) > 0 {}
    }

    private func readRequest(_ connection: Int32) {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while !bytes.suffix(4).elementsEqual([13, 10, 13, 10]), recv(connection, &byte, 1, 0) == 1 {
            bytes.append(byte)
        }
        let head = String(decoding: bytes, as: UTF8.self)
        let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        for _ in 0..<(length.flatMap { Int($0.dropFirst(16)) } ?? 0) where recv(connection, &byte, 1, 0) == 1
        {
            bytes.append(byte)
        }
        received.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
    }
}

/// A reply with a JSON body and its length.
func json(_ body: String, status: String = "200 OK", headers: String = "") -> RawServer.Step {
    .send("HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
}

/// A reply that carries an error.
func problem(_ status: Int, _ code: String, hint: String? = nil) -> RawServer.Step {
    let hint = hint.map { ",\"hint\":\"\($0)\"" } ?? ""
    let body =
        "{\"type\":\"urn:vctl:error:\(code)\",\"title\":\"t\",\"status\":\(status),"
        + "\"detail\":\"it is so\",\"code\":\"\(code)\"\(hint)}"
    return json(body, status: "\(status) Bad")
}

let operationID = "11111111-2222-4333-8444-555555555555"
let vmID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"

/// An operation as the API shows it.
func operation(_ status: String, warnings: String = "", extra: String = "") -> String {
    """
    {"id":"\(operationID)","kind":"vm.create","status":"\(status)","createdAt":"2026-01-31T08:15:00.250Z",\
    "requestor":{"uid":0,"user":"root","pid":1},"resources":[{"kind":"vm","id":"\(vmID)","name":"web1"}],\
    "steps":[],"cancellable":true,"warnings":[\(warnings)]\(extra)}
    """
}

/// A VM as the API shows it.
func vm(_ name: String = "web1", state: String = "running") -> String {
    """
    {"id":"\(vmID)","name":"\(name)","state":"\(state)","cpus":2,"memoryBytes":2147483648,\
    "disks":[],"nics":[{"mac":"52:54:00:00:00:01","addresses":[{"address":"192.0.2.7","source":"lease"}]}],\
    "labels":{},"managed":true,"autostart":false,"protected":false,"observedAt":"2026-01-31T08:15:00.250Z"}
    """
}
