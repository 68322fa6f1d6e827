// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What `delete` of one object or several understands, whatever they are.
struct DeleteOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var wait: WaitOptions
    @OptionGroup var confirm: YesOption

    @Flag(name: .customLong("if-exists"), help: "What is not there is no error.")
    var ifExists = false

    /// Asks, deletes, waits and prints.
    /// - Parameters:
    ///   - names: as the user gave them, or as a selection found them.
    ///   - client: one that is connected already.
    ///   - with: what goes with them, or does not, as the question says it.
    ///   - missing: the error that there is no such object.
    ///   - parent: the error that there is not even what it would be in.
    func run(
        _ noun: Noun, _ names: [String], client: Client? = nil, with: String = "", selected: Bool = false,
        missing: ErrorCode, parent: ErrorCode? = nil, query: [(String, String)] = []
    ) throws {
        let names = try checkedReferences(names)
        if !wait.dryRun, !names.isEmpty { try Confirmation.need(confirm, question(names, with)) }
        let batch = Batch(client ?? connect.client(), noun, output, wait)
        batch.leavesObject = false
        batch.asArray = selected
        if ifExists { batch.ignored = Set([missing, parent].compactMap { $0?.rawValue }) }
        let endpoint = Endpoints.named("\(noun.name).delete")
        let query = wait.change.query + query
        try batch.run(
            names.map { Job(name: $0, request: Request(endpoint, try noun.parameters($0), query: query)) })
    }

    private func question(_ names: [String], _ with: String) -> String {
        let list = names.prefix(5).map { shown($0) }.joined(separator: ", ")
        let more = names.count > 5 ? " and \(names.count - 5) more" : ""
        return "delete \(list)\(more)\(with)?"
    }
}
