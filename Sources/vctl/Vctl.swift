// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// The root of all commands.
struct Vctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vctl",
        abstract: "Manage virtual machines.",
        discussion: """
            Every command is vctl NOUN VERB [NAME...]. Data goes to stdout, everything else to stderr.
            Exit codes: 0 done, 1 failed, 3 not found, 4 conflict, 5 denied, 6 unreachable, 7 timeout, 8 done
            with warnings (--strict), 64 usage, 130 interrupted.
            """,
        version: Wire.version,
        subcommands: [
            VMCommand.self, NetworkCommand.self, PoolCommand.self, VolumeCommand.self, ImageCommand.self,
            ProfileCommand.self, BridgeCommand.self, TAPCommand.self, SecurityGroupCommand.self,
            OperationCommand.self,
            EventCommand.self, WarningCommand.self,
            AuditCommand.self, HostCommand.self, ShortList.self, ShortStart.self, ShortStop.self,
            ShortConsole.self, ShortExec.self, Query.self, WaitReady.self, Version.self, Completion.self,
            ManCommand.self, Proxy.self,
        ])
}
