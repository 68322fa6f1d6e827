// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl warning`.
struct WarningCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warning", abstract: "What needs a person's eye.",
        subcommands: [WarningList.self, WarningAck.self, WarningDelete.self])
}

/// `vctl warning list`.
struct WarningList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List warnings.")

    @OptionGroup var options: ListOptions

    func run() throws { try options.run(.warning) }
}

/// What both verbs understand.
struct WarningOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var change: ChangeOptions
    @Argument(help: .init("UUIDs.", valueName: "id"), completion: Live.warnings) var ids: [String]

    /// Sends a request for each; all are tried.
    /// - Throws: ``Ended`` with the first failure's code.
    func run(
        _ action: String, _ change: String, ignoring ignored: ErrorCode?,
        _ request: (String) throws -> Request
    ) throws {
        let printer = try Printer(.warning, output)
        let client = connect.client()
        var replies: [Reply] = []
        var first: VctlAPI.ExitCode?
        for id in try checkedReferences(ids) {
            do {
                let reply =
                    try self.change.dryRun ? Previews.local(action, id, change) : client.send(try request(id))
                if !reply.bytes.isEmpty { replies.append(reply) }
            } catch let problem as Problem where problem.errorCode == ignored {
                continue
            } catch {
                let failure = Failure(error)
                for line in failure.lines { Standard.error(line) }
                first = first ?? failure.exit
            }
        }
        if !replies.isEmpty, self.change.dryRun {
            try Previews.print(replies, output.format, asArray: ids.count > 1)
        } else if !replies.isEmpty {
            try printer.objects(replies.map(\.bytes), asArray: ids.count > 1, detailed: false)
        }
        if let first { throw Ended(exit: first) }
    }
}

/// `vctl warning ack`.
struct WarningAck: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "ack", abstract: "Mark warnings as seen.")

    @OptionGroup var options: WarningOptions

    func run() throws {
        try options.run("warning.ack", "mark it as seen", ignoring: nil) {
            try Request(Endpoints.named("warning.ack"), [$0]).json(Empty()).keyed(nil)
        }
    }
}

/// `vctl warning delete`.
struct WarningDelete: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Forget warnings.")

    @OptionGroup var options: WarningOptions

    @Flag(name: .customLong("if-exists"), help: "A warning that is not there is no error.")
    var ifExists = false

    func run() throws {
        try options.run("warning.delete", "forget it", ignoring: ifExists ? .warningNotFound : nil) {
            Request(Endpoints.named("warning.delete"), [$0])
        }
    }
}
