// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// Lists a part of a network.
struct NetworkPartList: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: .init("The network's name or UUID.", valueName: "network"), completion: Live.networks)
    var network: String

    func run(_ noun: Noun, _ endpoint: String) throws {
        let printer = try Printer(noun, output)
        let names = try checkedReferences([network])
        let reply = try connect.client().send(Request(Endpoints.named(endpoint), names))
        printer.rows(try JSONNode(parsing: reply.bytes).elements) { reply.bytes }
    }
}

/// What every change of a part of one network understands.
struct NetworkPartOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var key: KeyOption

    @Argument(help: .init("The network's name or UUID.", valueName: "network"), completion: Live.networks)
    var network: String

    /// Sends a request about a part, and prints the network that came of it.
    func run(
        _ endpoint: String, _ part: [String] = [], force: Bool = false, _ fill: (Request) throws -> Request
    ) throws {
        let names = try checkedReferences([network]) + part
        let query = wait.change.query + (force ? [("force", "true")] : [])
        var request = try fill(Request(Endpoints.named(endpoint), names, query: query))
        if !wait.dryRun, Endpoints.named(endpoint).method == .post { request = try request.keyed(key.key) }
        try Batch(connect.client(), .network, output, wait).run([Job(name: network, request: request)])
    }
}

/// `vctl network leases`.
struct NetworkLeases: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leases", abstract: "List the addresses that DHCP has given away.")

    @OptionGroup var list: NetworkPartList

    func run() throws { try list.run(.lease, "network.leases") }
}

/// `vctl network reservation`.
struct NetworkReservationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reservation", abstract: "Addresses that DHCP keeps for VMs.",
        subcommands: [
            NetworkReservationAdd.self, NetworkReservationList.self, NetworkReservationRemove.self,
        ])
}

/// `vctl network reservation add`.
struct NetworkReservationAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Keep an address for a VM's NIC.",
        discussion: """
            Without an address it is the one that the VM has now, else a free one. A VM that runs with another
            address takes the kept one when it renews its lease, or starts again.
            """)

    @OptionGroup var options: NetworkPartOptions
    @Argument(help: .init("The VM; without one name a --mac.", valueName: "vm"), completion: Live.vms)
    var vm: String?
    @Option(name: .customLong("address"), help: "The address.", transform: Parse.address)
    var address: IPAddress?
    @Option(name: .customLong("mac"), help: "The NIC, where the VM has several, or there is none.")
    var mac: String?
    @Flag(name: .customLong("force"), help: "Take an address that another VM has now.")
    var force = false

    func run() throws {
        var body = NetworkReserve()
        body.vm = try vm.map { try Parse.reference($0) }
        (body.mac, body.address) = (mac, address)
        guard vm != nil || mac != nil else {
            throw Failure.usage("no VM is named", hint: "name a VM, or a --mac")
        }
        try options.run("network.reservation.add", force: force) { try $0.json(body) }
    }
}

/// `vctl network reservation list`.
struct NetworkReservationList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the addresses that DHCP keeps.")

    @OptionGroup var list: NetworkPartList

    func run() throws { try list.run(.reservation, "network.reservation.list") }
}

/// `vctl network reservation remove`.
struct NetworkReservationRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Keep an address no more.")

    @OptionGroup var options: NetworkPartOptions
    @Argument(help: .init("A VM, a MAC or an address.", valueName: "vm"), completion: Live.vms)
    var what: String

    func run() throws { try options.run("network.reservation.remove", [what]) { $0 } }
}

/// `vctl network dns`.
struct NetworkDNSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns", abstract: "Names that a network's DNS knows beside those of its guests.",
        subcommands: [NetworkDNSAdd.self, NetworkDNSList.self, NetworkDNSRemove.self])
}

/// `vctl network dns add`.
struct NetworkDNSAdd: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Add a name.")

    @OptionGroup var options: NetworkPartOptions
    @Argument(help: .init("The name.", valueName: "name")) var name: String
    @Argument(help: .init("Its address.", valueName: "address"), transform: Parse.address)
    var address: IPAddress

    func run() throws {
        let record = NetworkRecord(name: name, address: address)
        try options.run("network.dns.add") { try $0.json(record) }
    }
}

/// `vctl network dns list`.
struct NetworkDNSList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the names that were added.")

    @OptionGroup var list: NetworkPartList

    func run() throws { try list.run(.record, "network.dns.list") }
}

/// `vctl network dns remove`.
struct NetworkDNSRemove: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Take names away.")

    @OptionGroup var options: NetworkPartOptions
    @Argument(help: .init("A name, or the address of all that go.", valueName: "name"))
    var what: String

    func run() throws { try options.run("network.dns.remove", [what]) { $0 } }
}
