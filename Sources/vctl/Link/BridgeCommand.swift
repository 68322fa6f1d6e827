// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl bridge`.
struct BridgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bridge", abstract: "Bridges of the host, which VMs and TAPs are ports of.",
        discussion: """
            A bridge is there until it is deleted, after a reboot, too. Those of libvirt, Docker and others
            are listed, and never changed.
            """,
        subcommands: [
            BridgeCreateCommand.self, BridgeList.self, BridgeShow.self, BridgeSet.self, BridgeDelete.self,
            BridgeConfirm.self, BridgeRollback.self,
        ])
}

/// How long a change that may cut the host off waits for a word.
struct ConfirmOption: ParsableArguments {
    @Option(
        name: .customLong("confirm-timeout"), parsing: .unconditional,
        help: .init(
            "It goes back unless it is confirmed by then; 60s where it may cut the host off.",
            valueName: "time"), transform: Parse.timeout)
    var timeout: TimeSpan?

    var seconds: Int? { timeout?.wholeSeconds }
}

/// What `create` and `set` of a bridge have in common.
struct BridgeOptions: ParsableArguments {
    @Option(
        name: .customLong("address"),
        help: .init("The host's own address on it; may be repeated.", valueName: "cidr"),
        transform: Parse.linkAddress)
    var addresses: [LinkAddress] = []

    @Option(
        name: .customLong("port"),
        help: .init("A link that becomes a port; may be repeated.", valueName: "link"),
        transform: Parse.linkName)
    var ports: [LinkName] = []

    @Flag(
        name: .customLong("stp"), inversion: .prefixedNo,
        help: "Whether it speaks the spanning tree protocol.")
    var stp: Bool?

    @OptionGroup var confirm: ConfirmOption
}

/// `vctl bridge create`.
struct BridgeCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a bridge.",
        discussion: """
            vctl bridge create lan0 --address 10.20.0.1/24

            With --port eth0 the host's addresses and routes move from eth0 to the bridge. Unless confirm
            is said within --confirm-timeout, everything goes back, whatever becomes of the connection or
            the daemon.
            """)

    @Argument(help: .init("Its name, of at most 15 bytes.", valueName: "name"), transform: Parse.linkName)
    var name: LinkName

    @OptionGroup var options: BridgeOptions
    @Option(
        name: .customLong("mtu"), help: .init("Its MTU; 1500 without it.", valueName: "bytes"),
        transform: Parse.positive)
    var mtu: Int?
    @Flag(name: .customLong("vlan-aware"), help: "It looks at VLAN tags.")
    var vlanAware = false

    @OptionGroup var labels: LabelOptions
    @OptionGroup var creation: CreateOptions

    func run() throws {
        var body = BridgeCreate(name: name)
        body.addresses = options.addresses.isEmpty ? nil : options.addresses
        body.ports = options.ports.isEmpty ? nil : options.ports
        (body.stp, body.mtu, body.labels) = (options.stp, mtu, labels.labels)
        if vlanAware { body.vlanAware = true }
        body.confirmTimeoutSeconds = options.confirm.seconds
        try creation.run(.bridge, name.rawValue, missing: .bridgeNotFound) { try $0.json(body) }
    }
}

/// `vctl bridge list`.
struct BridgeList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the host's bridges, those of others, too.")

    @OptionGroup var options: LinkListOptions

    func run() throws { try options.run(.bridge) }
}

/// `vctl bridge show`.
struct BridgeShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about bridges.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.bridges)
    var names: [String]

    func run() throws { try ShowRun.run(.bridge, names, connect, output) }
}

/// `vctl bridge set`.
struct BridgeSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change what is given.",
        discussion: """
            --address and --port name all that there shall be: what is not among them is taken away. Ports
            that are VMs or TAPs stay.

            vctl bridge set lan0 --address 10.20.0.1/24 --address fd00:20::1/64 --mtu 1400
            """)

    @OptionGroup var options: BridgeOptions
    @Flag(name: .customLong("no-address"), help: "The host has no address on it.")
    var noAddress = false
    @Flag(name: .customLong("no-port"), help: "No links of the host are its ports.")
    var noPort = false
    @Option(
        name: .customLong("mtu"), help: .init("Its MTU, or none for 1500.", valueName: "bytes"),
        transform: Parse.removableNumber)
    var mtu: Removable<Int>?
    @OptionGroup var labels: LabelChanges
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.bridges)
    var names: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connect: ConnectOptions

    func validate() throws {
        guard !noAddress || options.addresses.isEmpty, !noPort || options.ports.isEmpty else {
            throw ValidationError("--no-address does not go with --address, nor --no-port with --port")
        }
    }

    func run() throws {
        let patch = try patch()
        let jobs = try checkedReferences(names).map { name in
            let request = Request(Endpoints.named("bridge.set"), [name], query: wait.change.query)
            return Job(name: name, request: try request.json(patch, as: Wire.mergePatch))
        }
        try Batch(connect.client(), .bridge, output, wait).run(jobs)
    }

    private func patch() throws -> BridgePatch {
        var patch = BridgePatch()
        if noAddress || !options.addresses.isEmpty { patch.addresses = options.addresses }
        if noPort || !options.ports.isEmpty { patch.ports = options.ports }
        (patch.mtu, patch.stp, patch.labels) = (mtu, options.stp, labels.changes)
        patch.confirmTimeoutSeconds = options.confirm.seconds
        let given: [Any?] = [patch.addresses, patch.ports, patch.mtu, patch.stp, patch.labels]
        guard given.contains(where: { $0 != nil }) else {
            throw Failure.usage(
                "nothing to change is given", hint: "vctl bridge set --help lists what can be changed")
        }
        return patch
    }
}

/// `vctl bridge delete`.
struct BridgeDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete bridges; the links that were their ports stay.")

    @OptionGroup var options: DeleteOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.bridges)
    var names: [String]

    @Flag(name: .customLong("force"), help: "Also where VMs or TAPs are ports of it.")
    var force = false
    @OptionGroup var confirm: ConfirmOption

    func run() throws {
        var query = force ? [("force", "true")] : []
        if let seconds = confirm.seconds { query.append(("confirmTimeoutSeconds", "\(seconds)")) }
        try options.run(.bridge, names, missing: .bridgeNotFound, query: query)
    }
}

/// What `confirm` and `rollback` understand.
struct BridgeDecision: ParsableArguments {
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connect: ConnectOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.bridges)
    var names: [String]

    func run(_ endpoint: String) throws {
        let jobs = try checkedReferences(names).map { name in
            let request = Request(Endpoints.named(endpoint), [name], query: wait.change.query)
            return Job(name: name, request: try request.json(Empty()))
        }
        try Batch(connect.client(), .bridge, output, wait).run(jobs)
    }
}

/// `vctl bridge confirm`.
struct BridgeConfirm: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Keep the last change of bridges.")

    @OptionGroup var options: BridgeDecision

    func run() throws { try options.run("bridge.confirm") }
}

/// `vctl bridge rollback`.
struct BridgeRollback: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Take the last change of bridges back before its time is over.")

    @OptionGroup var options: BridgeDecision

    func run() throws { try options.run("bridge.rollback") }
}
