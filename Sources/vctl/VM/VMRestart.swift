// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm restart`.
struct VMRestartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stop VMs and start them with their new definition.")

    @OptionGroup var options: ActionOptions
    @OptionGroup var stop: StopOptions

    func run() throws {
        var body = VMRestart()
        body.graceSeconds = stop.graceSeconds
        if stop.force { body.force = true }
        try options.run("vm.restart", body)
    }
}
