// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm stop`.
struct VMStopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stop VMs: by agent, then ACPI, then by force if asked.",
        discussion: """
            vctl vm stop web1 --grace 2m --force

            With --in-order all are stopped in the reverse of the order in which they start with the host:
            first those without an order, then the highest, each order when the one before is done. That is
            what the service vctl-guests does when the host goes down, with the VMs that vctl manages;
            others are left to libvirt-guests.

            vctl vm stop --managed --in-order --grace 90s --force
            """)

    @OptionGroup var options: ActionOptions
    @OptionGroup var stop: StopOptions

    @Flag(name: .customLong("in-order"), help: "In the reverse of the order in which they start.")
    var inOrder = false

    func run() throws {
        guard !inOrder || options.wait.wait else {
            throw Failure.usage("--in-order waits for each order", hint: "leave out --no-wait")
        }
        var body = VMStop()
        body.graceSeconds = stop.graceSeconds
        if stop.force { body.force = true }
        try options.run("vm.stop", body, ordered: inOrder)
    }
}

/// In which order VMs are stopped, so that none loses what it needs.
struct StopOrder {
    private let client: Client

    init(_ client: Client) { self.client = client }

    /// Those that start last come first; in one round are those of one order.
    func rounds(_ names: [String]) throws -> [[String]] {
        let query = [("fields", "id,name,autostartOrder")]
        let rows = try Lists.fetch(client, Request(Endpoints.named("vm.list"), query: query)).rows()
        var orders: [String: Int64] = [:]
        for row in rows {
            guard let order = row.node["autostartOrder"]?.integer else { continue }
            for key in ["id", "name"] {
                if let name = row.node[key]?.text { orders[name] = order }
            }
        }
        let grouped = Dictionary(grouping: names) { orders[$0] ?? Int64.max }
        return grouped.sorted { $0.key > $1.key }.map(\.value)
    }
}
