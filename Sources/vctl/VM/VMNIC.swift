// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm nic`.
struct VMNICCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nic", abstract: "Network interfaces of a VM.",
        subcommands: [VMNICAdd.self, VMNICRemove.self, VMNICSet.self, VMNICList.self])
}

/// `vctl vm nic add`.
struct VMNICAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a NIC, to a running VM at once.")

    @OptionGroup var options: DeviceOptions
    @Argument(help: .init("NAME[,mac=][,model=].", valueName: "network"), transform: Self.spec)
    var nic: NICSpec

    static func spec(_ text: String) throws -> NICSpec {
        guard let nic = try Parse.network(text) else {
            throw Parse.Refused(description: "none is no network")
        }
        return nic
    }

    func run() throws { try options.run("vm.nic.add") { try $0.json(nic) } }
}

/// `vctl vm nic remove`.
struct VMNICRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take a NIC away.")

    @OptionGroup var options: DeviceOptions
    @Argument(help: .init("Its MAC.", valueName: "mac")) var mac: String

    func run() throws { try options.run("vm.nic.remove", [mac]) { $0 } }
}

/// `vctl vm nic set`.
struct VMNICSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Move a NIC to another network, or pull its cable.")

    @OptionGroup var options: DeviceOptions
    @Argument(help: .init("Its MAC.", valueName: "mac")) var mac: String

    @Option(
        name: .customLong("network"), help: "The network that it shall be on.", transform: Parse.reference)
    var network: Reference?

    @Flag(name: .customLong("link"), inversion: .prefixedNo, help: "Whether its cable is in.")
    var link: Bool?

    func run() throws {
        guard network != nil || link != nil else {
            throw Failure.usage("nothing to change is given", hint: "--network NAME, --link or --no-link")
        }
        var patch = VMNICPatch()
        (patch.network, patch.link) = (network, link)
        try options.run("vm.nic.set", [mac]) { try $0.json(patch, as: Wire.mergePatch) }
    }
}

/// `vctl vm nic list`.
struct VMNICList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List a VM's NICs.")

    @OptionGroup var list: DeviceList

    func run() throws { try list.run(.nic) { $0.nics } }
}
