// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// Where the daemon is.
struct ConnectOptions: ParsableArguments {
    @Option(
        name: .customLong("socket"),
        help: .init("The daemon's socket, with --host the one there; VCTL_SOCKET.", valueName: "path"),
        completion: .file())
    var socket: String?

    @Option(
        name: .customLong("host"),
        help: .init("Another machine, over ssh: ssh://[user@]host[:port]; VCTL_HOST.", valueName: "url"),
        transform: Parse.host)
    var host: SSHHost?

    /// The socket on this machine that was asked for, by the option or the environment; `nil`: none was.
    static func localSocket(_ option: String?) -> String? { option ?? variable("VCTL_SOCKET") }

    /// The other machine that was asked for, if it was one by its address.
    var remote: SSHHost? { host ?? variable("VCTL_HOST").flatMap { try? SSHHost($0) } }

    /// A client; it connects with its first request. `VCTL_SOCKET` is a path on this machine, and says
    /// nothing of another.
    /// - Parameter asks: whether ssh may ask on the terminal; `nil` where someone is there to answer.
    func client(asks: Bool? = nil) -> Client {
        if let host { return Client(host: host, socket: socket, asks: asks) }
        guard let text = variable("VCTL_HOST") else {
            return Client(socket: Self.localSocket(socket))
        }
        do {
            return Client(host: try SSHHost(text), socket: socket, asks: asks)
        } catch {
            let error = ClientError.hostAddress(error)
            return Client(peer: text) { _, _ in throw error }
        }
    }
}

/// A variable of the environment; an empty one is none.
private func variable(_ name: String) -> String? {
    guard let value = getenv(name), value[0] != 0 else { return nil }
    return String(cString: value)
}
