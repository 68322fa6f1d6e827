// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm wait`.
struct VMWaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until a condition holds for every named VM.")

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var timeout: TimeoutOption
    @OptionGroup var targets: VMTargets

    @Option(
        name: .customLong("for"),
        help: .init("running, stopped, ip, agent, cloud-init or tcp:PORT.", valueName: "condition"),
        completion: Parse.conditions, transform: Parse.condition)
    var condition: WaitCondition = .running

    func run() throws {
        let printer = try Printer(.vm, output)
        let client = connect.client()
        let names = try targets.resolve(client)
        client.interrupts = Interrupts()
        let deadline = timeout.deadline
        var objects: [[UInt8]] = []
        var first: VctlAPI.ExitCode?
        for name in names where first != .interrupted {
            do {
                let loop = WaitLoop(client: client, deadline: deadline, name: name, condition: condition)
                objects.append(try loop.run())
            } catch {
                let failure = Failure(error)
                for line in failure.lines { Standard.error(line) }
                first = first ?? failure.exit
            }
        }
        let asArray = names.count > 1 || !targets.selection.isEmpty
        if !objects.isEmpty { try printer.objects(objects, asArray: asArray, detailed: false) }
        if let first { throw Ended(exit: first) }
    }
}
