// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Another machine, as the system's `ssh` reaches it: `ssh://[user@]host[:port]`.
public struct SSHHost: Hashable, Sendable {
    /// The user there; `nil` leaves it to ssh's configuration.
    public let user: String?
    /// A name, an address, or an alias of ssh's configuration.
    public let host: String
    /// The port; `nil` leaves it to ssh's configuration.
    public let port: Int?

    /// Reads `ssh://[user@]host[:port]`.
    /// - Throws: `InvalidValue` for anything that is not of this form.
    public init(_ text: String) throws(InvalidValue) {
        func refused(_ problem: String) -> InvalidValue { InvalidValue(value: text, problem: problem) }
        guard text.lowercased().hasPrefix("ssh://") else { throw refused("write ssh://[user@]host[:port]") }
        var rest = text.dropFirst(6)
        if rest.last == "/" { rest = rest.dropLast() }
        guard !rest.contains("/") else {
            throw refused("a path is no part of it; --socket names another socket there")
        }
        if let at = rest.lastIndex(of: "@") {
            let name = rest[..<at]
            guard !name.contains(":") else { throw refused("a password cannot be given; ssh uses keys") }
            guard Self.isWord(name, extra: "._-+@\\$") else { throw refused("the user is no name") }
            user = String(name)
            rest = rest[rest.index(after: at)...]
        } else {
            user = nil
        }
        guard let (host, port) = Self.split(rest) else {
            throw refused("write ssh://host:port, an IPv6 address in brackets")
        }
        guard Self.isWord(host, extra: "._-%:") else { throw refused("the host is no name and no address") }
        self.host = String(host)
        guard let port else {
            self.port = nil
            return
        }
        guard let number = Int(port), (1...65_535).contains(number) else {
            throw refused("a port is a number from 1 to 65535")
        }
        self.port = number
    }

    private static func split(_ text: Substring) -> (host: Substring, port: Substring?)? {
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { return nil }
            let rest = text[text.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
            return (text[text.index(after: text.startIndex)..<close], rest.isEmpty ? nil : rest.dropFirst())
        }
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count < 3 else { return nil }
        return (parts[0], parts.count == 2 ? parts[1] : nil)
    }

    /// What ssh could take for an option, or a shell for more than a word, is neither a user nor a host.
    private static func isWord(_ text: Substring, extra: String) -> Bool {
        guard let first = text.first, first != "-" else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || extra.contains($0)) }
    }

    /// How errors name it.
    public var url: String {
        "ssh://" + (user.map { "\($0)@" } ?? "") + (host.contains(":") ? "[\(host)]" : host)
            + (port.map { ":\($0)" } ?? "")
    }

    /// What `ssh` and `ssh-copy-id` are told to reach it.
    public var words: [String] {
        (port.map { ["-p", "\($0)"] } ?? []) + [(user.map { "\($0)@" } ?? "") + host]
    }

    /// The whole command that carries a connection to the daemon there.
    /// - Parameters:
    ///   - socket: the daemon's socket on that machine; `nil` for the usual one.
    ///   - asks: whether ssh may ask for a password on the terminal.
    ///   - seconds: how long ssh may try to connect.
    func command(socket: String?, asks: Bool, seconds: Int) -> [String] {
        var options = [
            "ConnectTimeout=\(max(1, seconds))", "ServerAliveInterval=15", "ClearAllForwardings=yes",
            "RequestTTY=no",
        ]
        if !asks { options.append("BatchMode=yes") }
        let program = ["vctl", "proxy"] + (socket.map { ["--socket", quotedForShell($0)] } ?? [])
        // Behind the host, ssh takes every word as a part of the command.
        return ["ssh", "-a", "-x"] + options.flatMap { ["-o", $0] } + words.dropLast() + ["--", words.last!]
            + program
    }
}

/// A word for the shell that ssh starts on the other machine.
func quotedForShell(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
