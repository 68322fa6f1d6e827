// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl network`.
struct NetworkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "Networks that VMs are on.",
        discussion: """
            isolated  guests reach each other alone; with --host-access the host, too, with DHCP and DNS
            routed    guests, host and outside reach each other by addresses of their own
            nat       guests reach out with the host's address; nobody reaches in but the host
            bridged   guests are peers on the LAN that a bridge of the host is in

            Networks of libvirt that others made are shown, and VMs can be on them; vctl changes them only
            once they are adopted.
            """,
        subcommands: [
            NetworkCreateCommand.self, NetworkList.self, NetworkShow.self, NetworkSet.self,
            NetworkStart.self, NetworkStop.self, NetworkDelete.self, NetworkAdoptCommand.self,
            NetworkRelease.self, NetworkCheckCommand.self, NetworkLeases.self, NetworkReservationCommand.self,
            NetworkDNSCommand.self,
            NetworkForwardCommand.self,
        ],
        aliases: ["net"])
}

/// `vctl network list`.
struct NetworkList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List networks.")

    @OptionGroup var options: ListOptions

    @Option(
        name: .customLong("select"), help: .init("Those with this label.", valueName: "k=v"),
        transform: Parse.keyValue)
    var select: [KeyValue] = []

    @Option(
        name: .customLong("state"), help: "Only those in this state.",
        completion: Parse.choices(NetworkState.self), transform: Parse.choice)
    var state: NetworkState?

    func run() throws {
        var query = select.map { ("label", "\($0.key)=\($0.value)") }
        if let state { query.append(("state", state.rawValue)) }
        try options.run(.network, query: query)
    }
}

/// `vctl network show`.
struct NetworkShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about networks.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.networks)
    var names: [String]

    func run() throws { try ShowRun.run(.network, names, connect, output) }
}

/// `vctl network delete`.
struct NetworkDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete networks that no VM is on.")

    @OptionGroup var options: DeleteOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.networks)
    var names: [String]

    @Flag(name: .customLong("force"), help: "Delete it although it is protected.")
    var force = false

    func run() throws {
        try options.run(.network, names, missing: .networkNotFound, query: force ? [("force", "true")] : [])
    }
}

/// What the verbs understand that change one network or several.
struct NetworkActionOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var key: KeyOption

    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.networks)
    var names: [String]

    /// Sends a request about each network.
    func run(_ endpoint: String, force: Bool = false, _ fill: (Request) throws -> Request) throws {
        let names = try checkedReferences(names)
        guard key.key == nil || names.count < 2 else {
            throw Failure.usage(
                "--idempotency-key is for one network", hint: "leave it out, or name one network")
        }
        let query = wait.change.query + (force ? [("force", "true")] : [])
        let jobs = try names.map { name in
            let request = try fill(Request(Endpoints.named(endpoint), [name], query: query))
            let isPost = Endpoints.named(endpoint).method == .post && !wait.dryRun
            return Job(name: name, request: isPost ? try request.keyed(key.key) : request)
        }
        try Batch(connect.client(), .network, output, wait).run(jobs)
    }
}

/// `vctl network start`.
struct NetworkStart: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Start networks.")

    @OptionGroup var options: NetworkActionOptions

    func run() throws { try options.run("network.start") { try $0.json(Empty()) } }
}

/// `vctl network stop`.
struct NetworkStop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop networks that no running VM is on.")

    @OptionGroup var options: NetworkActionOptions

    @Flag(name: .customLong("force"), help: "Cut off the VMs that are on it.")
    var force = false

    func run() throws { try options.run("network.stop", force: force) { try $0.json(Empty()) } }
}

/// `vctl network adopt`.
struct NetworkAdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Take over networks that virsh or others made.",
        discussion: """
            Only vctl's element in the network's <metadata> changes: guests notice nothing, and what vctl does
            not know stays as it is in every later change.
            """)

    @OptionGroup var options: NetworkActionOptions
    @OptionGroup var labels: LabelOptions

    @Flag(name: .customLong("force"), help: "Take it although it bears another vctl's mark.")
    var force = false

    func run() throws {
        var adopt = NetworkAdopt()
        adopt.labels = labels.labels
        try options.run("network.adopt", force: force) { try $0.json(adopt) }
    }
}

/// `vctl network release`.
struct NetworkRelease: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Give networks back: take vctl's mark off.",
        discussion: """
            The rules of a nat or isolated network go with the mark: libvirt makes none for what vctl made.
            """)

    @OptionGroup var options: NetworkActionOptions

    func run() throws { try options.run("network.release") { try $0.json(Empty()) } }
}
