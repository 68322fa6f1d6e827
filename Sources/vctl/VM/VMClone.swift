// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm clone`.
struct VMCloneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clone", abstract: "Make a VM from another one, a running one too.",
        discussion: """
            vctl vm clone web1 web2 --start --wait-for ip

            The clone has a UUID, MACs, disks and a cloud-init instance of its own: it boots with its own host name,
            machine-id and ssh host keys. Of a running VM all disks are copied as they are at one moment, for which
            it is halted shortly; what the guest has not written to its disks yet is not in the copy.
            """)

    @Argument(help: .init("The VM to copy, by name or UUID.", valueName: "vm"), transform: Parse.reference)
    var source: Reference

    @Argument(help: .init("The clone's name.", valueName: "name"), transform: Parse.name)
    var name: Name

    @Flag(exclusivity: .exclusive) var clone: CloneFlag?

    @Option(
        name: .customLong("pool"), help: .init("Where the disks go.", valueName: "pool"),
        transform: Parse.reference)
    var pool: Reference?

    @OptionGroup(title: "Object") var labels: LabelOptions

    @Option(name: .customLong("description"), help: "What this VM is for.")
    var description: String?

    @Flag(name: .customLong("start"), inversion: .prefixedNo, help: "Start it.")
    var start = false

    @Flag(name: .customLong("autostart"), help: "Start it with the host.")
    var autostart = false

    @Flag(name: .customLong("protect"), help: "Let delete refuse it.")
    var protect = false

    @OptionGroup var creation: CreationOptions

    func run() throws {
        try creation.check(starts: start, hint: "add --start, and leave out --no-wait")
        let request = Request(
            Endpoints.named("vm.clone"), [source.description], query: creation.wait.change.query)
        try VMCreation(name, creation).run(try request.json(body))
    }

    private var body: VMClone {
        var body = VMClone(name: name)
        body.clone = clone.map { $0 == .full ? .full : .linked }
        body.pool = pool
        body.labels = labels.labels
        body.description = description
        if start { body.start = true }
        if autostart { body.autostart = true }
        if protect { body.protected = true }
        return body
    }
}
