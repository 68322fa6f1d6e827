// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl event`.
struct EventCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "What happened.", subcommands: [EventList.self, EventFollow.self])
}

/// `vctl event list`.
struct EventList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List stored events.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    @Option(
        name: .customLong("since"), parsing: .unconditional,
        help: .init("Those after this sequence number; without it the newest.", valueName: "n"),
        transform: Parse.count)
    var since: Int64?

    @Option(
        name: .customLong("limit"), parsing: .unconditional, help: .init("At most so many.", valueName: "n"),
        transform: Parse.positive)
    var limit: Int?

    func run() throws {
        let printer = try Printer(.event, output)
        var query: [(String, String)] = []
        if let since { query.append(("since", "\(since)")) }
        if let limit { query.append(("limit", "\(limit)")) }
        let request = Request(Endpoints.named("event.follow"), query: query).header(
            "Accept", "application/json")
        let reply = try connect.client().send(request)
        printer.rows(try reply.tree().elements) { reply.bytes }
    }
}
