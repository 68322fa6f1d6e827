// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm pause`.
struct VMPause: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "pause", abstract: "Halt the CPUs.")

    @OptionGroup var options: ActionOptions

    func run() throws { try options.run("vm.pause", Empty()) }
}
