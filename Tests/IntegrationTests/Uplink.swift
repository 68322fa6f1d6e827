// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

/// A card with addresses and routes of all kinds, and another host behind it.
struct Uplink {
    let lab: Lab
    let name: String
    let net: Int

    /// One that is there, the host that it is in, and all that the host has then.
    static func plugged(_ name: String, _ net: Int) throws -> (Lab, Uplink, before: String) {
        let card = Uplink(lab: try Lab.current, name: name, net: net)
        try card.plug()
        return (card.lab, card, try card.seen())
    }

    func plug() throws {
        try connect()
        let script = """
            set -e
            ip addr add 10.\(net).0.2/24 brd + dev \(name); ip addr add 10.\(net).0.3/24 dev \(name)
            ip -6 addr add fd\(net)::2/64 dev \(name)
            ip route add default via 10.\(net).0.1 metric 100
            ip route add 10.\(net + 100).0.0/16 via 10.\(net).0.9 src 10.\(net).0.3 table 77
            ip -6 route add default via fd\(net)::1 metric 2048
            ip -6 route add fd77:\(net)::/32 via fd\(net)::9 table 77
            ip -6 route add fd78:\(net)::/32 dev \(name) metric 300
            """
        let outcome = try lab.inside("sh", "-c", script)
        guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
    }

    /// The bare card.
    func connect() throws {
        let script = """
            set -e
            ip netns add \(name)
            ip link add \(name) address 02:00:00:00:00:\(net) type veth peer name far netns \(name)
            ip -n \(name) addr add 10.\(net).0.1/24 dev far
            ip -n \(name) addr add fd\(net)::1/64 dev far nodad
            ip -n \(name) link set far up; ip link set \(name) up
            """
        let outcome = try lab.inside("sh", "-c", script)
        guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
    }

    func unplug() throws {
        try lab.inside("ip", "link", "delete", name)
        try lab.inside("ip", "netns", "delete", name)
    }

    func mac() throws -> String { try lab.inside("cat", "/sys/class/net/\(name)/address").text }

    /// All links, addresses and routes of the host, once none is tentative.
    func seen() throws -> String {
        let look = """
            ip -j addr; ip -j route show table all; ip -j -6 route show table all
            ip addr; ip route show table all; ip -6 route show table all; ip rule; ip -6 rule
            """
        var now = ""
        try eventually("no address is tentative") {
            now = try lab.inside("sh", "-c", look).out
            return !now.contains("tentative")
        }
        return now
    }

    func answers() throws {
        for address in ["10.\(net).0.1", "fd\(net)::1"] {
            try eventually("\(address) answers") {
                try lab.inside("busybox", "ping", "-c", "1", "-W", "1", address).status == 0
            }
        }
    }

    /// Waits until the bridge is as it was made, and alone has the card's addresses.
    func awaitTakenOver(_ bridge: String, _ made: Bridge) throws {
        try eventually("\(bridge) is whole") {
            let now = try lab.bridge("show", bridge)
            return now.problems == [] && now.ports == made.ports
                && now.addresses.sorted() == made.addresses.sorted()
        }
        #expect(try lab.inside("ip", "-4", "addr", "show", "dev", name).out == "")
        try answers()
    }

    /// Waits until nobody knows the bridge, and everything is as it was.
    func awaitGone(_ bridge: String, _ before: String) throws {
        try eventually("\(bridge) has gone back", seconds: 60) {
            try lab.vctl("bridge", "show", bridge).status == 3
        }
        #expect(try seen() == before)
        try answers()
    }
}
