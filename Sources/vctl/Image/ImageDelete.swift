// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl image delete`.
struct ImageDelete: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete images.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var confirm: YesOption
    @Argument(help: .init("Names or UUIDs.", valueName: "name"), completion: Live.images) var names: [String]

    @Flag(name: .customLong("force"), help: "Override the guard that the error named.")
    var force = false

    @Flag(name: .customLong("if-exists"), help: "An image that is not there is no error.")
    var ifExists = false

    func run() throws {
        let names = try checkedReferences(names)
        if !wait.dryRun {
            try Confirmation.need(
                confirm, "delete \(names.prefix(5).map { shown($0) }.joined(separator: ", "))?")
        }
        let batch = Batch(connect.client(), .image, output, wait)
        batch.leavesObject = false
        if ifExists { batch.ignored = [ErrorCode.imageNotFound.rawValue] }
        let query = wait.change.query + (force ? [("force", "true")] : [])
        try batch.run(
            names.map { Job(name: $0, request: Request(Endpoints.named("image.delete"), [$0], query: query)) }
        )
    }
}
