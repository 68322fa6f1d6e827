// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl tap`.
struct TAPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tap", abstract: "TAPs for those who run QEMU by hand.",
        discussion: """
            vctl tap create lab0 --owner daemon

            A TAP is an Ethernet card of the host whose cable ends in a process. It is there until it is
            deleted, after a reboot, too; its owner may open it without other rights:

            qemu-system-x86_64 -netdev tap,id=n,ifname=lab0,script=no,downscript=no …
            """,
        subcommands: [TAPCreateCommand.self, TAPList.self, TAPShow.self, TAPDelete.self])
}

/// `vctl tap create`.
struct TAPCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a TAP.")

    @Argument(help: .init("Its name, of at most 15 bytes.", valueName: "name"), transform: Parse.linkName)
    var name: LinkName

    @Option(
        name: .customLong("owner"), help: .init("Who may open it, by name or number.", valueName: "user"))
    var owner: String?
    @Option(
        name: .customLong("bridge"), help: .init("The bridge that it is a port of.", valueName: "bridge"),
        transform: Parse.linkName)
    var bridge: LinkName?
    @Option(
        name: .customLong("queues"), help: .init("How many times it may be open at once.", valueName: "n"),
        transform: Parse.positive)
    var queues: Int?

    @OptionGroup var labels: LabelOptions
    @OptionGroup var creation: CreateOptions

    func run() throws {
        var body = TAPCreate(name: name)
        (body.owner, body.bridge, body.queues) = (owner, bridge, queues)
        body.labels = labels.labels
        try creation.run(.tap, name.rawValue, missing: .tapNotFound) { try $0.json(body) }
    }
}

/// `vctl tap list`.
struct TAPList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the host's TAPs, those of others and of VMs, too.")

    @OptionGroup var options: LinkListOptions

    func run() throws { try options.run(.tap) }
}

/// `vctl tap show`.
struct TAPShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about TAPs.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.taps)
    var names: [String]

    func run() throws { try ShowRun.run(.tap, names, connect, output) }
}

/// `vctl tap delete`.
struct TAPDelete: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete TAPs.")

    @OptionGroup var options: DeleteOptions
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.taps)
    var names: [String]

    @Flag(name: .customLong("force"), help: "Also where a process has it open, which loses its cable.")
    var force = false

    func run() throws {
        try options.run(.tap, names, missing: .tapNotFound, query: force ? [("force", "true")] : [])
    }
}
