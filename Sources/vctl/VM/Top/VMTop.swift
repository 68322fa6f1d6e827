// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm top`.
struct VMTop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch what running VMs use.",
        discussion: """
            100 % of CPU is one whole CPU of the host. MEMORY is what the VM takes of the host. On a terminal
            the keys c, m, d, n and a sort by CPU, memory, disk, network and name, and q ends it.

            vctl vm top --sort memory
            vctl vm top --once --format json
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    @Flag(name: .customLong("once"), help: "Print the rates over one interval, and end.")
    var once = false

    @Option(
        name: .customLong("interval"), parsing: .unconditional,
        help: .init("How long between two looks, 2s without it.", valueName: "time"),
        transform: Self.interval)
    var interval: TimeSpan?

    @Option(name: .customLong("sort"), help: "By what: cpu, memory, disk, network or name.")
    var sort: TopOrder = .cpu

    @Option(
        name: .customLong("vms"), help: .init("VMs whose name matches, with * ? [ ].", valueName: "glob"),
        completion: Live.vms)
    var vms: String?

    static func interval(_ text: String) throws -> TimeSpan {
        let span = try Parse.span(text)
        guard (200...3_600_000).contains(span.milliseconds) else {
            throw Parse.Refused(description: "an interval is from 200ms to 1h")
        }
        return span
    }

    func run() throws {
        guard once || output.format == .table else {
            throw Failure.usage(
                "--format \(output.format.rawValue) is for one look",
                hint: "vctl vm top --once --format \(output.format.rawValue)")
        }
        let printer = try Printer(.top, output)
        let client = connect.client()
        client.interrupts = Interrupts()
        let sampler = TopSampler(client, seconds: interval?.seconds ?? 2, glob: vms)
        if once { return try print(try sampler.nextRates(), printer) }
        do {
            if Standard.outIsTerminal, Standard.inIsTerminal {
                try TopScreen(sampler, printer, sort).run()
            } else {
                while true { try print(try sampler.nextRates(), printer) }
            }
        } catch ClientError.interrupted {
            throw Ended(exit: .success)
        }
    }

    private func print(_ rates: [TopRates], _ printer: Printer) throws {
        let rows = try rates.sorted(by: sort.precedes).map { try $0.bytes() }
        printer.rows(try rows.map { try JSONNode(parsing: $0) }) { Lists.joined(rows) }
    }
}
