// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import VctlAPI
import VctlClient

/// Where the daemon is.
struct ConnectOptions: ParsableArguments {
    @Option(
        name: .customLong("socket"),
        help: .init("The daemon's socket; VCTL_SOCKET says it too.", valueName: "path"))
    var socket: String?

    /// The flag, the environment, the default.
    var path: String {
        if let socket { return socket }
        guard let value = getenv("VCTL_SOCKET"), value[0] != 0 else { return Wire.defaultSocket }
        return String(cString: value)
    }

    func client() -> Client { Client(socket: path) }
}
