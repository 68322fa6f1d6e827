// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// What can go wrong between this program and the daemon. What the daemon itself refuses is a `Problem`.
public enum ClientError: Error, Hashable, Sendable {
    /// The caller may not use the socket.
    case denied(socket: String)
    /// Nothing listens on the socket.
    case unreachable(socket: String, errno: Int32)
    /// The path of the socket is longer than the system allows.
    case socketPath(String)
    /// The daemon took the request and said nothing in time.
    case silent(socket: String)
    /// The connection ended before the reply did.
    case lost(socket: String)
    /// What came back is not what this program can read.
    case malformed(String)
    /// The caller's own deadline passed.
    case timeout
    /// The user pressed Ctrl-C.
    case interrupted

    /// The stable, dotted code.
    public var code: String {
        switch self {
        case .denied: "permission.denied"
        case .unreachable: "daemon.unreachable"
        case .socketPath: "usage.invalid"
        case .silent: "daemon.silent"
        case .lost: "daemon.lost"
        case .malformed: "daemon.reply"
        case .timeout: "client.timeout"
        case .interrupted: "client.interrupted"
        }
    }

    /// The exit code of a command that ends with this error.
    public var exitCode: ExitCode {
        switch self {
        case .denied: .denied
        case .unreachable, .silent, .lost: .unreachable
        case .socketPath: .usage
        case .malformed: .failed
        case .timeout: .timeout
        case .interrupted: .interrupted
        }
    }

    /// What to do next.
    public var hint: String? {
        switch self {
        case .denied(let socket):
            "the socket \(shown(socket)) is for root and its group: usermod -aG vctl USER, then log in again"
        case .unreachable: "systemctl start vctld (another socket: --socket PATH or VCTL_SOCKET)"
        case .silent, .lost: "journalctl -u vctld says why; vctl waitready waits until it serves again"
        case .socketPath:
            "a socket's path has 1 to \(UnixSocket.maximumPath) bytes: --socket PATH or VCTL_SOCKET"
        case .malformed: "vctl version shows whether daemon and command line fit together"
        case .timeout, .interrupted: nil
        }
    }

    /// Whether the same request may do better a little later: the daemon is away or restarting.
    public var isPassing: Bool {
        switch self {
        case .unreachable, .lost: true
        default: false
        }
    }
}

extension ClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .denied(let socket): "permission denied on the socket \(shown(socket))"
        case .unreachable(let socket, let number):
            "cannot reach vctld at \(shown(socket)): \(String(cString: strerror(number)))"
        case .socketPath(let path):
            "\"\(shown(path))\" is no socket's path: it is \(path.isEmpty ? "empty" : "too long")"
        case .silent(let socket): "vctld at \(shown(socket)) does not answer"
        case .lost(let socket): "vctld at \(shown(socket)) closed the connection before it had answered"
        case .malformed(let what): "the daemon's reply cannot be read: \(shown(what, limit: 200))"
        case .timeout: "the time given with --timeout has passed"
        case .interrupted: "interrupted"
        }
    }
}
