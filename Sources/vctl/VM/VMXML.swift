// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm xml`.
struct VMXML: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xml", abstract: "Print libvirt's definition of a VM, without secrets.")

    @OptionGroup var connect: ConnectOptions

    @Argument(help: .init("Name or UUID.", valueName: "name"), completion: Live.vms)
    var name: String

    @Flag(name: .customLong("inactive"), help: "The definition of the next start.")
    var inactive = false

    func run() throws {
        _ = try Reference(checking: name)
        let query = inactive ? [("inactive", "true")] : []
        let reply = try connect.client().send(Request(Endpoints.named("vm.xml"), [name], query: query))
        Standard.out(reply.bytes.last == 0x0A ? reply.bytes : reply.bytes + [0x0A])
    }
}
