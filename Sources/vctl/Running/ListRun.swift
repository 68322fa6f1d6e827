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
    ///   - needed: members that `keep` looks at.
    ///   - keep: which rows are printed.
    func run(
        _ noun: Noun, query: [(String, String)] = [], needed: [String] = [],
        keep: ((JSONNode) -> Bool)? = nil
    ) throws {
        let printer = try Printer(noun, output)
        var query = query
        if let fields = printer.fields(and: needed) { query.append(("fields", fields)) }
        // A limit counts what is printed, so it is the daemon's only where nothing is left out here.
        if let limit, keep == nil { query.append(("limit", "\(limit)")) }
        let request = Request(Endpoints.named("\(noun.name).list"), query: query)
        var list = try fetch(request, connect.client(), allPages: limit == nil || keep != nil)
        if let keep { list.rows.removeAll { !keep($0.node) } }
        if let limit { list.rows = Array(list.rows.prefix(limit)) }
        Lists.warnIfOld(list.head)
        printer.rows(list.rows.map(\.node)) { list.raw(complete: keep == nil && limit == nil) }
    }

    private func fetch(_ request: Request, _ client: Client, allPages: Bool) throws -> ListReply {
        guard allPages else {
            let reply = try client.send(request)
            let rows = try JSONNode.elements(of: reply.bytes).map {
                (node: $0.node, page: 0, range: $0.range)
            }
            return ListReply(head: reply.head, pages: [reply.bytes], rows: rows)
        }
        return try Lists.all(client, request)
    }
}
