// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// `vctl vm adopt`.
struct VMAdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Take over VMs that virsh or others made.",
        discussion: """
            Only vctl's element in the domain's <metadata> changes: a running guest notices nothing, and
            what vctl does not know stays as it is in every later change. Its disks are never removed with it.
            """)

    @OptionGroup var options: ActionOptions
    @OptionGroup var labels: LabelOptions

    @Flag(name: .customLong("force"), help: "Take it although it bears another vctl's mark.")
    var force = false

    func run() throws {
        var adopt = VMAdopt()
        adopt.labels = labels.labels
        try options.run("vm.adopt", adopt, force: force)
    }
}

/// `vctl vm release`.
struct VMRelease: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Give VMs back: take vctl's mark off, and change nothing else.")

    @OptionGroup var options: ActionOptions

    func run() throws { try options.run("vm.release", Empty()) }
}
