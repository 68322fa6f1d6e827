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
        commandName: "add", abstract: "Add a NIC, to a running VM at once.",
        discussion: """
            vctl vm nic add web1 default,mtu=1400,isolated=yes

            RATE is AVERAGE, AVERAGE/PEAK or AVERAGE/PEAK/BURST: AVERAGE and PEAK in bits per second with
            decimal units (10M is 10 Mbit/s), BURST a size (64K). Inbound is what the guest receives.
            """)

    @OptionGroup var options: DeviceOptions
    @Argument(help: .init("\(Parse.networkHelp).", valueName: "network"), transform: Self.spec)
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
    @Argument(help: .init("Its MAC.", valueName: "mac"), completion: Live.nics) var mac: String

    func run() throws { try options.run("vm.nic.remove", [mac]) { $0 } }
}

/// `vctl vm nic list`.
struct VMNICList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List a VM's NICs.")

    @OptionGroup var list: DeviceList

    func run() throws { try list.run(.nic) { $0.nics } }
}
