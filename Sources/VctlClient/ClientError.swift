// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// What can go wrong between this program and the daemon. What the daemon itself refuses is a `Problem`.
public enum ClientError: Error, Hashable, Sendable {
    /// The caller may not use the socket.
    case denied(socket: String)
    /// Nothing listens on the socket.
    case unreachable(socket: String, errno: Int32)
    /// `--host` or `VCTL_HOST` is no address of a host.
    case hostAddress(InvalidValue)
    /// A program that is needed here could not be started.
    case noProgram(String, errno: Int32)
    /// ssh cannot get to the other machine, in its own words.
    case remoteHost(SSHHost, words: String, wasThere: Bool)
    /// ssh got there, and `vctl` did not run there.
    case remoteProgram(SSHHost, words: String)
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
        case .socketPath, .hostAddress: "usage.invalid"
        case .noProgram: "client.program"
        case .remoteHost: "host.unreachable"
        case .remoteProgram: "host.program"
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
        case .unreachable, .silent, .lost, .noProgram, .remoteHost, .remoteProgram: .unreachable
        case .socketPath, .hostAddress: .usage
        case .malformed: .failed
        case .timeout: .timeout
        case .interrupted: .interrupted
        }
    }

    /// What to do next.
    public var hint: String? {
        switch self {
        case .denied(let socket):
            "\(shown(socket)) is for root and its group: members of vctl may do everything, members of"
                + " vctl-ro may look: usermod -aG vctl-ro USER (or vctl), then log in again"
        case .unreachable: "systemctl start vctld (another socket: --socket PATH or VCTL_SOCKET)"
        case .hostAddress: "--host or VCTL_HOST: ssh://[user@]host[:port]"
        case .noProgram(let program, _): "it has to be installed here and in PATH: command -v \(program)"
        case .remoteHost(let host, _, _): Self.hint(host)
        case .remoteProgram(let host, _):
            "install vctl there; this must find it: ssh \(host.words.joined(separator: " ")) command -v vctl"
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
        case .remoteHost(_, _, let wasThere): wasThere
        default: false
        }
    }

    private static func hint(_ host: SSHHost) -> String {
        let words = host.words.joined(separator: " ")
        return "this must work without a question: ssh \(words) true; for a key there: ssh-copy-id \(words)"
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
        case .hostAddress(let error): error.description
        case .noProgram(let program, let number):
            "cannot run \(shown(program)): \(String(cString: strerror(number)))"
        case .remoteHost(let host, let words, _):
            "ssh cannot reach \(shown(host.url)): \(shown(words, limit: 600))"
        case .remoteProgram(let host, let words):
            "ssh reached \(shown(host.url)), but vctl did not run there: \(shown(words, limit: 600))"
        case .silent(let socket): "vctld at \(shown(socket)) does not answer"
        case .lost(let socket): "vctld at \(shown(socket)) closed the connection before it had answered"
        case .malformed(let what): "the daemon's reply cannot be read: \(shown(what, limit: 200))"
        case .timeout: "the time given with --timeout has passed"
        case .interrupted: "interrupted"
        }
    }
}
