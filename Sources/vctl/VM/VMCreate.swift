// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm create`.
struct VMCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a VM, and start it.",
        discussion: """
            vctl vm create web1 --image debian --memory 2G --ssh-key ~/.ssh/id_ed25519.pub --wait-for ip
            """)

    @Argument(help: .init("Its name.", valueName: "name"), transform: Parse.name)
    var name: Name

    @OptionGroup(title: "Hardware") var hardware: HardwareOptions
    @OptionGroup(title: "Guest") var guest: GuestOptions
    @OptionGroup(title: "Object") var labels: LabelOptions

    @Option(name: .customLong("description"), help: "What this VM is for.")
    var description: String?

    @Flag(name: .customLong("autostart"), help: "Start it with the host.")
    var autostart = false

    @Flag(name: .customLong("protect"), help: "Let delete refuse it.")
    var protect = false

    @Flag(name: .customLong("no-start"), help: "Do not start it.")
    var noStart = false

    @OptionGroup var creation: CreationOptions

    func run() throws {
        try creation.check(starts: !noStart, hint: "leave out --no-start and --no-wait")
        try hardware.check()
        try guest.check()
        let query = creation.wait.change.query
        let request = try Request(Endpoints.named("vm.create"), query: query).json(try body())
        try VMCreation(name, creation).run(request)
    }

    /// The request's body; reads the files.
    func body() throws -> VMCreate {
        var body = VMCreate(name: name)
        hardware.fill(&body)
        try guest.fill(&body)
        body.description = description
        body.labels = labels.labels
        if autostart { body.autostart = true }
        if protect { body.protected = true }
        if noStart { body.start = false }
        return body
    }
}
