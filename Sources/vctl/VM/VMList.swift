// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm list`.
struct VMList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List VMs.")

    @OptionGroup var options: ListOptions
    @OptionGroup var selection: SelectOptions

    @Option(
        name: .customLong("state"), help: "Only those in this state.",
        completion: Parse.choices(VMState.self), transform: Parse.choice)
    var state: VMState?

    func run() throws {
        var query = selection.query
        if let state { query.append(("state", state.rawValue)) }
        let needed = selection.needed
        let keep = { (row: JSONNode) in selection.matches(row) }
        try options.run(.vm, query: query, needed: needed, keep: needed.isEmpty ? nil : keep)
    }
}
