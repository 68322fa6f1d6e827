// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// Two non-blocking file descriptors that carry HTTP: both ends of one socket, or the pipes of a process.
public struct Transport: Sendable {
    /// Where replies come from.
    public let input: Int32
    /// Where requests go.
    public let output: Int32
    private let end: (@Sendable () -> Void)?

    /// Wraps descriptors, and makes them non-blocking.
    /// - Parameter end: closes them, where they are not simply closed.
    public init(input: Int32, output: Int32, end: (@Sendable () -> Void)? = nil) {
        self.input = input
        self.output = output
        self.end = end
        for descriptor in Set([input, output]) {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
    }

    /// - Parameter half: the output was closed before.
    func close(half: Bool) {
        if let end { return end() }
        _ = Glibc.close(input)
        if input != output, !half { _ = Glibc.close(output) }
    }

    /// Lets the other side see the end of what is written.
    func finishWriting() {
        if input == output { shutdown(output, Int32(SHUT_WR)) } else { _ = Glibc.close(output) }
    }

    /// Writes what fits; -1 with `errno` as usual. Never raises SIGPIPE on a socket.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = send(output, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        guard count < 0, errno == ENOTSOCK else { return count }
        return Glibc.write(output, bytes.baseAddress, bytes.count)
    }
}

/// The daemon's Unix socket.
public enum UnixSocket {
    /// The longest path, in bytes.
    public static let maximumPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Connects to a socket, or without one to the daemon's usual one.
    /// - Throws: ``ClientError`` where the path is too long, closed to the caller, or nobody listens.
    public static func connect(_ path: String?, until deadline: Deadline, _ interrupts: Interrupts?) throws
        -> Transport
    {
        guard let path else { return try usual(Wire.defaultSocket, until: deadline, interrupts) }
        guard path.utf8.count <= maximumPath, !path.isEmpty, !path.utf8.contains(0) else {
            throw ClientError.socketPath(path)
        }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        while true {
            let descriptor = socket(AF_UNIX, kind, 0)
            let number = descriptor < 0 ? errno : attempt(descriptor, address(of: path))
            if number == 0 { return Transport(input: descriptor, output: descriptor) }
            if descriptor >= 0 { close(descriptor) }
            guard number == EAGAIN || number == EINTR else { throw error(number, path) }
            // EAGAIN: the daemon's queue of new connections is full; there is nothing to poll for.
            try Poll.sleep(seconds: 0.02, until: deadline, interrupts)
        }
    }

    /// A daemon's socket, or the read-only one beside it where only that is open to us. What is more than
    /// reading is refused by the daemon then.
    private static func usual(
        _ path: String, until deadline: Deadline, _ interrupts: Interrupts?
    ) throws -> Transport {
        do {
            return try connect(path, until: deadline, interrupts)
        } catch ClientError.denied(let socket) {
            do {
                return try connect(Wire.readOnlySocket(beside: path), until: deadline, interrupts)
            } catch ClientError.denied, ClientError.unreachable, ClientError.socketPath {
                throw ClientError.denied(socket: socket)
            }
        }
    }

    private static func attempt(_ descriptor: Int32, _ address: sockaddr_un) -> Int32 {
        var address = address
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
        return result == 0 ? 0 : errno
    }

    private static func address(of path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return address
    }

    static func error(_ number: Int32, _ path: String) -> ClientError {
        number == EACCES || number == EPERM
            ? .denied(socket: path) : .unreachable(socket: path, errno: number)
    }
}
