// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

/// What is on the wires of a host: namespaces that stand for guests and for the outside world, each with a
/// server that tells who came. Inside of the host, so that they go with it.
struct Wires {
    let lab: Lab

    /// The host's address on the LAN, and that of the world behind it.
    static let host = (four: "203.0.113.1", six: "fdcb::1")
    static let outside = (four: "203.0.113.2", six: "fdcb::2")

    /// Runs a shell script inside of the host, which has to end with 0.
    @discardableResult
    func sh(_ script: String) throws -> Outcome {
        let outcome = try lab.inside("sh", "-ec", script)
        guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
        return outcome
    }

    /// A bridge `br0` with the world `outside` behind it, which knows a way back to each subnet; its own DHCP
    /// server gives away addresses from .100 on.
    func makeLAN() throws {
        try sh(
            """
            # A host that forwards nothing: who needs it has to switch it on.
            sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
            ip link add br0 type bridge forward_delay 0
            ip addr add \(Self.host.four)/24 dev br0
            ip addr add \(Self.host.six)/64 dev br0 nodad
            ip link set br0 up
            """)
        try add("outside", to: "br0", [Self.outside.four + "/24", Self.outside.six + "/64"])
        try sh(
            """
            ip -n outside route add default via \(Self.host.four)
            ip -n outside route add default via \(Self.host.six)
            ip netns exec outside dnsmasq --conf-file=/dev/null --no-daemon --port=0 --no-ping \
                --dhcp-range=203.0.113.100,203.0.113.199 --dhcp-leasefile=/run/outside.leases \
                >/run/outside.dnsmasq 2>&1 &
            """)
        try serve("")
    }

    /// A namespace with a NIC on a bridge, and a server in it.
    /// - Parameter gateways: by which it reaches everything else.
    func add(_ name: String, to bridge: String, _ addresses: [String], gateways: [String] = []) throws {
        let place = "-n \(name)"
        let lines =
            ["ip netns add \(name)", "ip \(place) link set lo up"]
            + ["ip link add w\(name) type veth peer name eth0 netns \(name)"]
            + ["ip link set w\(name) master \(bridge) up"]
            // Only what says no address itself takes one from a router's advertisements.
            + (addresses.isEmpty ? [] : ["ip netns exec \(name) sysctl -qw net.ipv6.conf.eth0.accept_ra=0"])
            + addresses.map { "ip \(place) addr add \($0) dev eth0 \($0.contains(":") ? "nodad" : "")" }
            + ["ip \(place) link set eth0 up"] + gateways.map { "ip \(place) route add default \($0)" }
        try sh(lines.joined(separator: "\n"))
        try serve(name)
    }

    func remove(_ names: String...) throws {
        for name in names { try sh("ip link del w\(name); ip netns del \(name)") }
    }

    private func serve(_ name: String) throws {
        let place = name.isEmpty ? "" : "ip netns exec \(name)"
        try sh("\(place) setsid \(Self.program) serve </dev/null >/dev/null 2>&1 &")
        try eventually("a server in \(name)") { try ask(from: name, ["127.0.0.1"]) == ["127.0.0.1"] }
    }

    static let program = "\(Lab.repository)/Tests/lab/reach.py"

    /// From which address each target sees those come who ask from a namespace, or `-`.
    func ask(from name: String, _ targets: [String]) throws -> [String] {
        let place = name.isEmpty ? [] : ["ip", "netns", "exec", name]
        let command = place + [Self.program, "ask"] + targets
        return try Shell.must(
            lab.vhostCommand("exec", lab.name) + command, environment: ["VCTL_LAB": Lab.base]
        ).lines
    }

    /// What our table says; empty where there is none.
    func rules() throws -> String {
        let listing = try lab.inside("nft", "list", "table", "inet", "vctl").out
        let parts = listing.split(separator: "\n").dropFirst().dropLast().joined(separator: "\n")
        return parts.components(separatedBy: "\n\t}\n").sorted().joined(separator: "\n\t}\n")
    }

    func network(_ name: String) throws -> Network {
        try decode(Network.self, lab.must("network", "show", name, "--format", "json").out)
    }

    /// The bridge of a network.
    func bridge(_ name: String) throws -> String { try #require(try network(name).bridge) }
}
