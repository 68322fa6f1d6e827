// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm show`.
struct VMShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything about VMs.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var targets: VMTargets

    func run() throws {
        try ShowRun.run(.vm, try targets.resolve(connect.client()), connect, output)
    }
}
