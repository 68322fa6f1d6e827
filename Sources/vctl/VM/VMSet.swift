// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm set`.
struct VMSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change what is given.",
        discussion: """
            What a running VM cannot take over at once waits for its next start, and is shown as pending by
            show and list. --dry-run prints the difference in libvirt's XML.

            vctl vm set web1 --memory 4G --cpus 2
            vctl vm set web1 --user ada --ssh-key ada.pub
            vctl vm set web1 --xml-patch './devices/video/model/@type=virtio' --dry-run
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var targets: VMTargets
    @OptionGroup var labels: LabelChanges
    @OptionGroup(title: "Hardware") var machine: MachineOptions

    @Option(name: .customLong("description"), help: "What this VM is for.")
    var description: String?

    @OptionGroup(title: "Life") var keeping: KeepingOptions

    @Option(
        name: .customLong("cloud-init"), help: .init("New user-data; - is stdin.", valueName: "file"),
        completion: .file())
    var cloudInit: String?

    @Option(
        name: .customLong("network-config"),
        help: .init("New network-config; - is stdin.", valueName: "file"),
        completion: .file())
    var networkConfig: String?

    @Option(
        name: .customLong("xml-patch"), parsing: .unconditionalSingleValue,
        help: .init(
            "Set what an XPath finds in libvirt's XML; an empty value removes it. May be repeated.",
            valueName: "xpath=value"), transform: Parse.xmlPatch)
    var xmlPatch: [XMLPatch] = []

    @Option(
        name: .customLong("xml"), help: .init("The whole definition; - is stdin.", valueName: "file"),
        completion: .file())
    var xml: String?

    @OptionGroup(title: "Running guest") var accounts: AccountOptions

    func run() throws {
        let patch = try patch()
        let client = connect.client()
        let names = try targets.resolve(client)
        let batch = Batch(client, .vm, output, wait)
        batch.saysPending = true
        batch.asArray = !targets.selection.isEmpty
        try batch.run(
            try names.map { name in
                let request = Request(Endpoints.named("vm.set"), [name], query: wait.change.query)
                return Job(name: name, request: try request.json(patch, as: Wire.mergePatch))
            })
    }

    func patch() throws -> VMPatch {
        try keeping.check()
        let given: [Any?] = [description, cloudInit, networkConfig, labels.changes, xml]
        let groups = [machine.isGiven, accounts.isGiven, keeping.isGiven, !xmlPatch.isEmpty]
        guard groups.contains(true) || given.contains(where: { $0 != nil })
        else {
            throw Failure.usage(
                "nothing to change is given", hint: "vctl vm set --help lists what can be changed")
        }
        guard [cloudInit, networkConfig, xml, accounts.passwordFile].count(where: { $0 == "-" }) < 2 else {
            throw Failure.usage("only one file can be read from stdin")
        }
        var patch = VMPatch()
        patch.description = description.map(RemovableText.init)
        patch.labels = labels.changes
        keeping.fill(&patch)
        patch.cloudInit = try cloudInit.map { Secret(try Files.text($0)) }
        patch.networkConfig = try networkConfig.map { Secret(try Files.text($0)) }
        patch.xml = try xml.map { try Files.text($0) }
        patch.xmlPatch = xmlPatch.isEmpty ? nil : xmlPatch
        machine.fill(&patch)
        try accounts.fill(&patch)
        return patch
    }
}
