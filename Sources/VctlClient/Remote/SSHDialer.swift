// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Makes connections to the daemon of another machine. It belongs to one thread.
final class SSHDialer {
    private let host: SSHHost
    private let socket: String?
    private let asks: Bool
    /// A host that was there once may come back; one that never was is told of at once.
    private var hasConnected = false

    init(_ host: SSHHost, socket: String?, asks: Bool) {
        self.asks = asks
        self.host = host
        self.socket = socket
    }

    /// Runs `ssh` and waits until the daemon is at its other end.
    func dial(until deadline: Deadline, _ interrupts: Interrupts?) throws -> Transport {
        let seconds = min(15, deadline.secondsLeft.map { Int($0.rounded(.up)) } ?? 15)
        let command = host.command(socket: socket, asks: asks, seconds: seconds)
        let carrier = try Carrier(command)
        do {
            let greeting = try Greeting.read(carrier.descriptor, until: deadline, interrupts)
            if greeting == .connected {
                hasConnected = true
                let both = carrier.descriptor
                return Transport(input: both, output: both) { carrier.end() }
            }
            throw failure(greeting, carrier)
        } catch {
            carrier.end()
            throw error
        }
    }

    private func failure(_ greeting: Greeting?, _ carrier: Carrier) -> ClientError {
        if case .refused(let path, let number) = greeting {
            return UnixSocket.error(number, host.url + path)
        }
        let status = carrier.status()
        let words = carrier.words.isEmpty ? "it ended with \(status)" : carrier.words
        // ssh's own failures are 255; everything else is what the command there ended with.
        return status == 255
            ? .remoteHost(host, words: words, wasThere: hasConnected)
            : .remoteProgram(host, words: words)
    }
}

extension Client {
    /// A client of the daemon on another machine, over the system's `ssh`.
    /// - Parameters:
    ///   - socket: the daemon's socket there; `nil` for the usual one.
    ///   - asks: whether ssh may ask for a password; `nil` where stdin is a terminal: a question without
    ///     someone to answer it would never end.
    public convenience init(host: SSHHost, socket: String? = nil, asks: Bool? = nil) {
        let dialer = SSHDialer(host, socket: socket, asks: asks ?? (isatty(0) == 1))
        self.init(peer: host.url + (socket ?? "")) { try dialer.dial(until: $0, $1) }
    }
}
