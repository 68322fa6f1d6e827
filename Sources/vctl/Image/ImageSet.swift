// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl image set`.
struct ImageSet: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Change what is given.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var labels: LabelChanges
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.images) var names: [String]

    @Option(name: .customLong("description"), help: "What this image is for.")
    var description: String?

    @Flag(name: .customLong("protect"), inversion: .prefixedNo, help: "Whether delete refuses it.")
    var protect: Bool?

    func run() throws {
        guard description != nil || protect != nil || labels.changes != nil else {
            throw Failure.usage(
                "nothing to change is given", hint: "vctl image set --help lists what can be changed")
        }
        var patch = ImagePatch()
        patch.description = description.map(RemovableText.init)
        patch.protected = protect
        patch.labels = labels.changes
        try ImagePatching(connect: connect, output: output, wait: wait).run(names, patch)
    }
}

/// `vctl image rename`.
struct ImageRename: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Give an image another name.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @Argument(help: .init("Name or UUID.", valueName: "name"), completion: Live.images) var name: String
    @Argument(help: .init("The new name.", valueName: "new-name"), transform: Parse.name) var newName: Name

    func run() throws {
        var patch = ImagePatch()
        patch.name = newName
        try ImagePatching(connect: connect, output: output, wait: wait).run([name], patch)
    }
}

/// The request behind both.
struct ImagePatching {
    let connect: ConnectOptions
    let output: OutputOptions
    let wait: WaitOptions

    func run(_ names: [String], _ patch: ImagePatch) throws {
        let jobs = try checkedReferences(names).map { name in
            let request = Request(Endpoints.named("image.set"), [name], query: wait.change.query)
            return Job(name: name, request: try request.json(patch, as: Wire.mergePatch))
        }
        try Batch(connect.client(), .image, output, wait).run(jobs)
    }
}
