// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm start`.
struct VMStartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Start VMs; a suspended one goes on where it was.",
        aliases: ["restore"])

    @OptionGroup var options: ActionOptions

    @Flag(name: .customLong("paused"), help: "Do not run the first instruction yet.")
    var paused = false

    @Flag(name: .customLong("discard-state"), help: "Throw away the memory of a suspended VM.")
    var discardState = false

    func run() throws {
        var body = VMStart()
        if paused { body.paused = true }
        if discardState { body.discardState = true }
        try options.run("vm.start", body)
    }
}
