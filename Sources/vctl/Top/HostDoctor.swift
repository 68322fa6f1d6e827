// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl host doctor`.
struct HostDoctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look whether the host is fit for VMs, and say what mends it.",
        discussion: """
            The daemon looks, so this is the host as the daemon sees it: whether a guest really starts under \
            KVM, cgroups, versions, programs, confinement, the way of QEMU's user to disks, room, memory, \
            the clock, bridges, packet filters and forwarding. Nothing is changed. A check that hangs is \
            given up after its deadline and is unknown.

            Each finding is ok, warning (VMs run, but not as well, as safely or as long as they could), \
            critical (VMs cannot be made, start or be reached) or unknown. Below one that is not ok stands \
            the command that mends it.

            The exit code is 1 when something is critical, else 0; with --strict it is 8 when there is a \
            warning or something unknown.
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var output: OutputOptions

    @Flag(name: .customLong("strict"), help: "End with code 8 when there were warnings.")
    var strict = false

    func run() throws {
        let printer = try Printer(.finding, output)
        // All of it: the exit code needs the status whatever is printed.
        let reply = try connect.client().send(Request(Endpoints.named("host.doctor")))
        let rows = try JSONNode.elements(of: reply.bytes).map(\.node)
        if output.format == .table, output.columns == nil {
            Standard.out(Self.table(rows))
        } else {
            printer.rows(rows) { reply.bytes }
        }
        try Self.end(rows.map { $0["status"]?.text.flatMap(FindingStatus.init(rawValue:)) }, strict: strict)
    }

    /// A row for each finding, and below it what mends it.
    static func table(_ findings: [JSONNode]) -> String {
        let columns = Noun.finding.columns.filter { $0.key != "hint" }
        let rows = findings.flatMap { finding in
            let row = columns.map { $0.cell(finding) }
            guard let hint = finding["hint"]?.text else { return [row] }
            return [row, ["", "", "→ \(shown(hint, limit: 1000))"]]
        }
        return Table.text(headings: columns.map(\.title), rows: rows)
    }

    /// - Throws: ``Ended`` unless all is well. A status that this program does not know is none to rely on.
    static func end(_ statuses: [FindingStatus?], strict: Bool) throws {
        if statuses.contains(.critical) { throw Ended(exit: .failed) }
        if strict, statuses.contains(where: { $0 != .ok }) { throw Ended(exit: .warnings) }
    }
}
