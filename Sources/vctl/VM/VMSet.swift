// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm set`.
struct VMSet: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Change what is given.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var targets: VMTargets
    @OptionGroup var labels: LabelChanges

    @Option(name: .customLong("description"), help: "What this VM is for.")
    var description: String?

    @Flag(name: .customLong("protect"), inversion: .prefixedNo, help: "Whether delete refuses it.")
    var protect: Bool?

    @Flag(name: .customLong("autostart"), inversion: .prefixedNo, help: "Whether it starts with the host.")
    var autostart: Bool?

    @Option(name: .customLong("cloud-init"), help: .init("New user-data; - is stdin.", valueName: "file"))
    var cloudInit: String?

    @Option(
        name: .customLong("network-config"), help: .init("New network-config; - is stdin.", valueName: "file")
    )
    var networkConfig: String?

    func run() throws {
        let patch = try patch()
        let client = connect.client()
        let names = try targets.resolve(client)
        let batch = Batch(client, .vm, output, wait)
        batch.asArray = !targets.selection.isEmpty
        try batch.run(
            try names.map { name in
                let request = Request(Endpoints.named("vm.set"), [name], query: wait.change.query)
                return Job(name: name, request: try request.json(patch, as: Wire.mergePatch))
            })
    }

    func patch() throws -> VMPatch {
        let given: [Any?] = [description, protect, autostart, cloudInit, networkConfig, labels.changes]
        guard given.contains(where: { $0 != nil }) else {
            throw Failure.usage(
                "nothing to change is given", hint: "vctl vm set --help lists what can be changed")
        }
        guard cloudInit != "-" || networkConfig != "-" else {
            throw Failure.usage("only one file can be read from stdin")
        }
        var patch = VMPatch()
        patch.description = description.map(RemovableText.init)
        patch.labels = labels.changes
        patch.protected = protect
        patch.autostart = autostart
        patch.cloudInit = try cloudInit.map { Secret(try Files.text($0)) }
        patch.networkConfig = try networkConfig.map { Secret(try Files.text($0)) }
        return patch
    }
}
