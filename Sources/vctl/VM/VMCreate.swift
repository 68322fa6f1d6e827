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

            With --xml the name replaces that in the definition, and a UUID in it is kept if it is nobody's.
            The files that it names are used where they are; those that vctl did not make stay when the VM is
            deleted.

            vctl vm create old1 --xml old1.xml --no-start

            With --autostart libvirt starts it together with all others when the host boots. With an order or
            a delay it is vctld that does: the lowest order first, each once the delay of the one before has
            passed, and only after a boot of the host.
            With --on-crash restart vctld starts it again when QEMU dies or the guest panics, after a pause
            that grows, as often as [guests] in vctld.toml says.
            """)

    @Argument(help: .init("Its name.", valueName: "name"), transform: Parse.name)
    var name: Name

    @Option(
        name: .customLong("profile"),
        help: .init("What gives everything that the command line does not say.", valueName: "profile"),
        completion: Live.profiles, transform: Parse.reference)
    var profile: Reference?

    @Option(
        name: .customLong("xml"),
        help: .init("libvirt's whole definition instead of hardware; - is stdin.", valueName: "file"),
        completion: .file())
    var xml: String?

    @OptionGroup(title: "Hardware") var hardware: HardwareOptions
    @OptionGroup(title: "Guest") var guest: GuestOptions
    @OptionGroup(title: "Object") var labels: LabelOptions

    @Option(name: .customLong("description"), help: "What this VM is for.")
    var description: String?

    @OptionGroup(title: "Life") var keeping: KeepingOptions

    @Flag(name: .customLong("no-start"), help: "Do not start it.")
    var noStart = false

    @OptionGroup var creation: CreationOptions

    func run() throws {
        try creation.check(starts: !noStart, hint: "leave out --no-start and --no-wait")
        try hardware.check(hasProfile: profile != nil)
        try guest.check()
        let query = creation.wait.change.query
        let request = try Request(Endpoints.named("vm.create"), query: query).json(try body())
        try VMCreation(name, creation).run(request)
    }

    /// The request's body; reads the files.
    func body() throws -> VMCreate {
        try keeping.check()
        try keeping.checkOfNew()
        var body = VMCreate(name: name)
        body.profile = profile
        body.xml = try xml.map { Secret(try Files.text($0)) }
        hardware.fill(&body)
        try guest.fill(&body)
        body.description = description
        body.labels = labels.labels
        keeping.fill(&body)
        if noStart { body.start = false }
        return body
    }
}
