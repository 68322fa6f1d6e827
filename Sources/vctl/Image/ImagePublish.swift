// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl image publish`.
struct ImagePublish: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish", abstract: "Make an image of a VM's disk, of a running one's too.",
        discussion: """
            vctl image publish web1 web-base

            The image stands alone. What the guest has left on the disk is in it, passwords and keys too; a VM that is
            made from it gets ssh host keys and a machine-id of its own.
            """)

    @Argument(help: .init("The VM, by name or UUID.", valueName: "vm"), transform: Parse.reference)
    var vm: Reference

    @Argument(help: .init("The image's name.", valueName: "name"), transform: Parse.name) var name: Name

    @Option(
        name: .customLong("disk"),
        help: .init("Which disk; without it the one that the VM boots from.", valueName: "target"))
    var disk: String?

    @Option(name: .customLong("description"), help: "What this image is.") var description: String?
    @Flag(name: .customLong("protect"), help: "Let delete refuse it.") var protect = false
    @OptionGroup var labels: LabelOptions
    @OptionGroup var key: KeyOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connect: ConnectOptions

    func run() throws {
        var body = VMPublish(name: name)
        body.disk = disk
        body.description = description
        body.labels = labels.labels
        if protect { body.protected = true }
        let batch = Batch(connect.client(), .image, output, wait)
        let request = try Request(
            Endpoints.named("vm.publish"), [vm.description], query: wait.change.query
        ).json(body)
        try batch.run([Job(name: name.rawValue, request: wait.dryRun ? request : try request.keyed(key.key))])
    }
}
