// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The root as completion scripts and manual pages show it: with the options that may stand before the noun.
/// ``LeadingOptions`` moves these before anything is parsed, so that ``Vctl`` itself does not have them.
struct ShownRoot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Vctl.configuration.commandName, abstract: Vctl.configuration.abstract,
        discussion: Vctl.configuration.discussion, version: Vctl.configuration.version,
        subcommands: Vctl.configuration.subcommands)

    @OptionGroup var connect: ConnectOptions
}
