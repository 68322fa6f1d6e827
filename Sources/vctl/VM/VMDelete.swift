// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm delete`.
struct VMDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete VMs with their disks.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var targets: VMTargets
    @OptionGroup var confirm: YesOption

    @Flag(name: .customLong("keep-disks"), help: "Leave the disks where they are.")
    var keepDisks = false

    @Flag(
        name: .customLong("force"),
        help: "Delete it although it is protected. A running VM is powered off without it.")
    var force = false

    @Flag(name: .customLong("if-exists"), help: "A VM that is not there is no error.")
    var ifExists = false

    func run() throws {
        let client = connect.client()
        let names = try targets.resolve(client)
        if !wait.dryRun, !names.isEmpty { try Confirmation.need(confirm, question(names)) }
        let batch = Batch(client, .vm, output, wait)
        batch.leavesObject = false
        batch.asArray = !targets.selection.isEmpty
        if ifExists { batch.ignored = [ErrorCode.vmNotFound.rawValue] }
        try batch.run(
            names.map { Job(name: $0, request: Request(Endpoints.named("vm.delete"), [$0], query: query)) })
    }

    private var query: [(String, String)] {
        var query = wait.change.query
        if keepDisks { query.append(("keepDisks", "true")) }
        if force { query.append(("force", "true")) }
        return query
    }

    private func question(_ names: [String]) -> String {
        let list = names.prefix(5).map { shown($0) }.joined(separator: ", ")
        let more = names.count > 5 ? " and \(names.count - 5) more" : ""
        return "delete \(list)\(more)\(keepDisks ? ", but not the disks" : " with the disks")?"
    }
}
