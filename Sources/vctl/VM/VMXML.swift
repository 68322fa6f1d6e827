// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm xml`.
struct VMXML: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xml", abstract: "Print libvirt's definition of a VM, without secrets.",
        discussion: """
            Of a VM that runs this is what libvirt made of the definition for this run, with addresses, TAP
            devices and what else it chose. The definition itself, for vm set --xml and vm create --xml, is
            printed by --inactive; of a VM that is off both are the same.

            vctl vm xml web1 --inactive > web1.xml
            """)

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
