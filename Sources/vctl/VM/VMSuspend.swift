// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm suspend`.
struct VMSuspend: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend",
        abstract: "Save the memory on the disk and power off; start goes on from there.")

    @OptionGroup var options: ActionOptions

    func run() throws { try options.run("vm.suspend", Empty()) }
}
