// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl network check`.
struct NetworkCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Prove by packets that a network keeps what its model promises.",
        discussion: """
            Two probes are put onto the network's bridge as guests are, and a third one behind the host, \
            where it stands for everybody else: its packets go through the host's own filters and routes. \
            They are namespaces of the kernel with a cable each, which are gone afterwards. What the host's \
            other links, and routers behind them, do to packets is not seen.

            The table says who reaches whom, what the model promises and from which address packets came. \
            Below it stand the reasons of what differs, each with the command that mends it. Networks of \
            others are checked as well, and not changed.

            The exit code is 1 when something differs, else 0.
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: .init("The network's name or UUID.", valueName: "network"), completion: Live.networks)
    var network: String

    func run() throws {
        let printer = try Printer(.path, output)
        let names = try checkedReferences([network])
        let request = try Request(Endpoints.named("network.check"), names).json(Empty())
        let reply = try connect.client().send(request)
        let report = try JSONNode(parsing: reply.bytes)
        if output.format == .yaml, output.columns == nil {
            Standard.out(YAML.text(report))
        } else {
            printer.rows(report["paths"]?.elements ?? []) { reply.bytes }
        }
        if output.format == .table { Standard.out(Self.reasons(report)) }
        if report["verdict"]?.text != NetworkVerdict.ok.rawValue,
            report["verdict"]?.text != NetworkVerdict.unproven.rawValue
        {
            throw Ended(exit: .failed)
        }
    }

    /// What is to be said below the table.
    static func reasons(_ report: JSONNode) -> String {
        let notes = (report["notes"]?.elements ?? []).map { "\(shown($0.text ?? "", limit: 1000))\n" }
        let causes = (report["causes"]?.elements ?? []).map { cause in
            let code = shown(cause["code"]?.text ?? "")
            let hint = cause["hint"]?.text.map { "  → \(shown($0, limit: 1000))\n" } ?? ""
            return "\(code): \(shown(cause["message"]?.text ?? "", limit: 1000))\n\(hint)"
        }
        return (notes + causes).isEmpty ? "" : "\n" + (notes + causes).joined()
    }
}
