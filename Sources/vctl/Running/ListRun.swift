// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What every `list` understands beyond its filters.
struct ListOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    @Option(
        name: .customLong("limit"), parsing: .unconditional, help: .init("At most so many.", valueName: "n"),
        transform: Parse.positive)
    var limit: Int?

    /// Asks for a list, and prints it.
    /// - Parameters:
    ///   - endpoint: of the list, where it is a part of the objects `names`.
    ///   - needed: members that `keep` looks at.
    ///   - keep: which rows are printed.
    func run(
        _ noun: Noun, _ endpoint: String? = nil, _ names: [String] = [], query: [(String, String)] = [],
        needed: [String] = [],
        keep: ((JSONNode) -> Bool)? = nil
    ) throws {
        let printer = try Printer(noun, output)
        var query = query
        if let fields = printer.fields(and: needed) { query.append(("fields", fields)) }
        // A limit counts what is printed, so it is the daemon's only where nothing is left out here.
        if let limit, keep == nil { query.append(("limit", "\(limit)")) }
        let request = Request(Endpoints.named(endpoint ?? "\(noun.name).list"), names, query: query)
        let allPages = limit == nil || keep != nil
        let list = try Lists.fetch(connect.client(), request, allPages: allPages)
        Lists.warnIfOld(list.head)
        if output.format == .json, keep == nil, list.pages.count == 1 { return printer.raw(list.pages[0]) }
        var rows = try list.rows()
        if let keep { rows.removeAll { !keep($0.node) } }
        if let limit { rows = Array(rows.prefix(limit)) }
        printer.rows(rows.map(\.node)) { Lists.joined(rows.map { Array(list.pages[$0.page][$0.range]) }) }
    }
}
