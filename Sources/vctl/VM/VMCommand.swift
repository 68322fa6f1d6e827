// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `vctl vm`.
struct VMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vm", abstract: "Virtual machines.",
        subcommands: [
            VMCreateCommand.self, VMList.self, VMShow.self, VMStartCommand.self, VMStopCommand.self,
            VMRestartCommand.self, VMReset.self, VMPause.self, VMResume.self, VMSuspend.self, VMSet.self,
            VMRename.self, VMDelete.self,
            VMAdoptCommand.self, VMCloneCommand.self, VMRelease.self,
            VMWaitCommand.self, VMConsole.self, VMExecCommand.self, VMXML.self, VMDiskCommand.self,
            VMNICCommand.self,
        ])
}
