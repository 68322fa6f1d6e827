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

    @Option(
        name: .customLong("wait-for"),
        help: .init("none, running, ip, agent, cloud-init or tcp:PORT.", valueName: "condition"),
        completion: Parse.conditions, transform: Self.condition)
    var waitFor: Goal = .none

    @Flag(name: .customLong("if-not-exists"), help: "A VM of this name is no error, and stays as it is.")
    var ifNotExists = false

    @OptionGroup var key: KeyOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connect: ConnectOptions

    /// What `--wait-for` waits for.
    enum Goal: Hashable {
        case none
        case some(WaitCondition)
    }

    static func condition(_ text: String) throws -> Goal {
        text == "none" ? .none : .some(try Parse.condition(text))
    }

    func run() throws {
        try checkCombination()
        let body = try body()
        _ = try Printer(.vm, output)
        try VMCreation(command: self, client: connect.client(), deadline: wait.deadline).run(body)
    }

    private func checkCombination() throws {
        guard waitFor == .none || (!noStart && wait.wait) else {
            throw Failure.usage(
                "--wait-for needs a VM that is started and waited for",
                hint: "leave out --no-start and --no-wait")
        }
        try hardware.check()
        try guest.check()
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
