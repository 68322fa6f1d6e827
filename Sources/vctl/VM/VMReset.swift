// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm reset`.
struct VMReset: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "reset", abstract: "Press the reset button.")

    @OptionGroup var options: ActionOptions

    func run() throws { try options.run("vm.reset", Empty()) }
}
