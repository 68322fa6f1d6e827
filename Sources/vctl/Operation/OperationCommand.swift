// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl operation`.
struct OperationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operation", abstract: "Work that is under way, or was.",
        subcommands: [
            OperationList.self, OperationShow.self, OperationWait.self, OperationCancel.self,
            OperationRetry.self,
            OperationAbandon.self,
        ],
        aliases: ["op"])
}

/// `vctl operation list`.
struct OperationList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List operations, the newest first.")

    @OptionGroup var options: ListOptions

    @Option(
        name: .customLong("status"), help: "Only those of this status.",
        completion: Parse.choices(OperationStatus.self), transform: Parse.choice)
    var status: OperationStatus?

    func run() throws { try options.run(.operation, query: status.map { [("status", $0.rawValue)] } ?? []) }
}

/// `vctl operation show`.
struct OperationShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about operations.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: .init("UUIDs.", valueName: "id"), completion: Live.operations) var ids: [String]

    func run() throws { try ShowRun.run(.operation, ids, connect, output) }
}

/// What the verbs of operations understand.
struct OperationOptions: ParsableArguments {
    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var timeout: TimeoutOption
    @Argument(help: .init("UUIDs.", valueName: "id"), completion: Live.operations) var ids: [String]
}
