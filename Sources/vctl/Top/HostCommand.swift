// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl host`.
struct HostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "host", abstract: "The host, the daemon and its libvirt.",
        subcommands: [HostShow.self, HostDoctor.self])
}

/// `vctl host show`.
struct HostShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the host.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let printer = try Printer(.host, output)
        let reply = try connect.client().send(Request(Endpoints.named("host.show")))
        try printer.objects([reply.bytes], asArray: false, detailed: true)
    }
}
