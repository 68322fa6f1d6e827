// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm resume`.
struct VMResume: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Let halted CPUs go on.")

    @OptionGroup var options: ActionOptions

    func run() throws { try options.run("vm.resume", Empty()) }
}
