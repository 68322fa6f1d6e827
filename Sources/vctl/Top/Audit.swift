// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `vctl audit`.
struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Who asked for what.", subcommands: [AuditList.self])
}

/// `vctl audit list`.
struct AuditList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the audit, the newest first.")

    @OptionGroup var options: ListOptions

    func run() throws { try options.run(.audit) }
}
