// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm stop`.
struct VMStopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop VMs: by agent, then ACPI, then by force if asked.")

    @OptionGroup var options: ActionOptions
    @OptionGroup var stop: StopOptions

    func run() throws {
        var body = VMStop()
        body.graceSeconds = stop.graceSeconds
        if stop.force { body.force = true }
        try options.run("vm.stop", body)
    }
}
