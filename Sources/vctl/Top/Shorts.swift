// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `vctl list`.
struct ShortList: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Short for vm list.")

    @OptionGroup var command: VMList

    func run() throws { try command.run() }
}

/// `vctl start`.
struct ShortStart: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Short for vm start.")

    @OptionGroup var command: VMStartCommand

    func run() throws { try command.run() }
}

/// `vctl stop`.
struct ShortStop: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stop", abstract: "Short for vm stop.")

    @OptionGroup var command: VMStopCommand

    func run() throws { try command.run() }
}

/// `vctl exec`.
struct ShortExec: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "exec", abstract: "Short for vm exec.")

    @OptionGroup var command: VMExecCommand

    func run() throws { try command.run() }
}

/// `vctl console`.
struct ShortConsole: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "console", abstract: "Short for vm console.")

    @OptionGroup var command: VMConsole

    func run() throws { try command.run() }
}
