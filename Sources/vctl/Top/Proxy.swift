// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// `vctl proxy`: the other end of `--host`, run there by ssh. Joins stdin and stdout with the socket.
struct Proxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy", abstract: "Join stdin and stdout with the daemon's socket; --host runs it.",
        shouldDisplay: false)

    @Option(name: .customLong("socket"), help: .init("The daemon's socket.", valueName: "path"))
    var socket: String?

    func run() throws {
        let path = ConnectOptions.localSocket(socket)
        let far: Transport
        do {
            far = try UnixSocket.connect(path, until: .after(seconds: 10), nil)
        } catch {
            let socket = path ?? Wire.defaultSocket
            Standard.out(Greeting.refused(socket: socket, errno: Self.number(error)).line)
            throw error
        }
        Standard.out(Greeting.connected.line)
        var relay = Relay(near: Transport(input: 0, output: 1), far: far)
        relay.run()
    }

    private static func number(_ error: any Error) -> Int32 {
        switch error as? ClientError {
        case .denied: EACCES
        case .unreachable(_, let number): number
        case .socketPath: ENAMETOOLONG
        default: ETIMEDOUT
        }
    }
}
