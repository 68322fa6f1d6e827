// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm delete`.
struct VMDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete VMs with their disks.")

    @OptionGroup var delete: DeleteOptions
    @OptionGroup var targets: VMTargets

    @Flag(name: .customLong("keep-disks"), help: "Leave the disks where they are.")
    var keepDisks = false

    @Flag(
        name: .customLong("force"),
        help: "Delete it although it is protected. A running VM is powered off without it.")
    var force = false

    func run() throws {
        let client = delete.connect.client()
        try delete.run(
            .vm, targets.resolve(client), client: client,
            with: keepDisks ? ", but not the disks" : " with the disks",
            selected: !targets.selection.isEmpty, missing: .vmNotFound, query: query)
    }

    private var query: [(String, String)] {
        var query: [(String, String)] = []
        if keepDisks { query.append(("keepDisks", "true")) }
        if force { query.append(("force", "true")) }
        return query
    }
}
