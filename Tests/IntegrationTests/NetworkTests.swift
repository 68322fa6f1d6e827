// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// What the models of networks promise, by packets and the addresses that they come from.
    @Suite(.hosted("net"))
    struct Networks {
        /// The networks of the matrix, and what their guests have for a number.
        private static let subnets: [(name: String, flags: [String], number: Int)] = [
            ("deep", ["--model", "isolated"], 60),
            ("held", ["--model", "isolated", "--host-access"], 61),
            ("wide", ["--model", "routed"], 62), ("nat", ["--model", "nat"], 63),
        ]

        private static func wire() throws -> Wires {
            let wire = Wires(lab: try Lab.current)
            guard try wire.lab.inside("ip", "link", "show", "br0").status != 0 else { return wire }
            try wire.makeLAN()
            for (name, flags, number) in subnets {
                let addresses =
                    name == "deep"
                    ? [] : ["--subnet", "10.\(number).0.0/24", "--subnet6", "fd\(number)::/64"]
                try wire.lab.run(["network", "create", name] + flags + addresses).isDone()
            }
            try wire.lab.must("network", "create", "lan", "--model", "bridged", "--bridge", "br0")
            return wire
        }

        // MARK: The matrix

        @Test func modelsHoldOnTheWire() throws {
            let wire = try Self.wire()
            try Self.addGuests(wire)
            defer { try? Self.removeGuests(wire) }
            for six in [false, true] {
                var seen: [String] = []
                for (from, targets) in Self.asked(six) {
                    let answers = try wire.ask(from: from == "host" ? "" : from, targets.map(\.address))
                    seen += zip(targets, answers).map { "\(from) → \($0.name): \($1)" }
                }
                let expected = Self.expected(six)
                print(seen.joined(separator: "\n"))
                for line in seen where !expected.contains(line) { Issue.record("IPv6 \(six), seen: \(line)") }
                for line in expected where !seen.contains(line) {
                    Issue.record("IPv6 \(six), expected: \(line)")
                }
            }
        }

        private static func address(_ number: Int, _ host: Int, _ six: Bool) -> String {
            six ? "fd\(number)::\(host)" : "10.\(number).0.\(host)"
        }

        private static func addGuests(_ wire: Wires) throws {
            for (name, _, number) in subnets {
                let bridge = try wire.bridge(name)
                let gateways = name == "deep" ? ["dev eth0"] : ["via 10.\(number).0.1", "via fd\(number)::1"]
                for (letter, host) in [("a", 11), ("b", 12)] {
                    let own = ["\(address(number, host, false))/24", "\(address(number, host, true))/64"]
                    try wire.add(name + letter, to: bridge, own, gateways: gateways)
                }
            }
            // A host that knows the way must not get there, and neither must a guest that finds the host's.
            try wire.sh(
                """
                ip route add 10.60.0.0/24 dev \(try wire.bridge("deep"))
                ip -n deepa -6 route add default dev eth0
                """)
            try wire.add("lana", to: "br0", ["203.0.113.11/24", "fdcb::11/64"])
            try wire.add("lanb", to: "br0", ["203.0.113.12/24", "fdcb::12/64"])
        }

        private static func removeGuests(_ wire: Wires) throws {
            for name in subnets.map(\.name) + ["lan"] { try wire.remove(name + "a", name + "b") }
        }

        private typealias Target = (name: String, address: String)

        /// Who asks whom.
        private static func asked(_ six: Bool) -> [(String, [Target])] {
            let outside: Target = ("outside", six ? Wires.outside.six : Wires.outside.four)
            let host: Target = ("host", six ? Wires.host.six : Wires.host.four)
            let guests: [Target] = subnets.map { ($0.name + "a", address($0.number, 11, six)) }
            let lan: Target = ("lana", six ? "fdcb::11" : "203.0.113.11")
            var asked: [(String, [Target])] = subnets.map { name, _, number in
                let others = guests.filter { $0.name != name + "a" }
                return (name + "a", [(name + "b", address(number, 12, six)), host, outside] + others)
            }
            asked.append(("lana", [("lanb", six ? "fdcb::12" : "203.0.113.12"), host, outside]))
            asked.append(("host", guests + [lan]))
            asked.append(("outside", guests + [lan]))
            return asked
        }

        /// From which address each sees the other come.
        private static func expected(_ six: Bool) -> Set<String> {
            func at(_ number: Int, _ host: Int) -> String { address(number, host, six) }
            let host = six ? Wires.host.six : Wires.host.four
            let outside = six ? Wires.outside.six : Wires.outside.four
            let lan = six ? "fdcb::11" : "203.0.113.11"
            return [
                // Isolated: each other, and nobody else.
                "deepa → deepb: \(at(60, 11))", "deepa → host: -", "deepa → outside: -", "deepa → helda: -",
                "deepa → widea: -", "deepa → nata: -", "host → deepa: -", "outside → deepa: -",
                // With the host in it.
                "helda → heldb: \(at(61, 11))", "helda → host: \(at(61, 11))", "helda → outside: -",
                "helda → deepa: -", "helda → widea: -", "helda → nata: -", "host → helda: \(at(61, 1))",
                "outside → helda: -",
                // Routed: everybody, with their own addresses.
                "widea → wideb: \(at(62, 11))", "widea → host: \(at(62, 11))",
                "widea → outside: \(at(62, 11))", "widea → deepa: -", "widea → helda: -", "widea → nata: -",
                "host → widea: \(at(62, 1))", "outside → widea: \(outside)",
                // NAT: out with the host's address, and nobody in but the host.
                "nata → natb: \(at(63, 11))", "nata → host: \(at(63, 11))", "nata → outside: \(host)",
                "nata → deepa: -", "nata → helda: -", "nata → widea: \(at(62, 1))",
                "host → nata: \(at(63, 1))", "outside → nata: -",
                // Bridged: a peer.
                "lana → lanb: \(lan)", "lana → host: \(lan)", "lana → outside: \(lan)",
                "host → lana: \(host)", "outside → lana: \(outside)",
            ]
        }

        @Test func guestsChooseAddressesByAdvertisements() throws {
            let wire = try Self.wire()
            for (name, number) in [("wide", 62), ("nat", 63)] {
                try wire.add("free", to: try wire.bridge(name), [])
                defer { try? wire.remove("free") }
                try eventually("an address in \(name)") {
                    try wire.sh("ip -n free -6 addr show dev eth0 scope global").out.contains("fd\(number)::")
                }
                // An address is of use once nobody else has claimed it.
                try eventually("from \(name) the outside is reached by it") {
                    let seen = try wire.ask(from: "free", [Wires.outside.six])[0]
                    return name == "nat" ? seen == Wires.host.six : seen.hasPrefix("fd62::")
                }
            }
        }

        // MARK: Real guests

        @Test func guestsGetWhatTheirModelPromises() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            let names = ["held", "wide", "nat", "lan", "deep"]
            defer { for name in names { try? lab.remove("g\(name)") } }
            for name in names { try lab.create("g\(name)", "--network", name) }
            var address: [String: String] = [:]
            for name in names {
                try lab.awaitConsole("g\(name)", "GUEST-UP")
                let line = try #require(
                    try lab.console("g\(name)").split(separator: "\n").first { $0.hasPrefix("GUEST-UP") })
                address[name] = line.split(separator: "=").last.map(String.init)
            }
            #expect(address["deep"] == "none")
            #expect(address["held"]?.hasPrefix("10.61.0.") == true)
            #expect(address["lan"]?.hasPrefix("203.0.113.1") == true, "from the LAN's own server")
            let page = { (name: String) in "http://\(address[name] ?? "?")/" }
            for name in ["held", "wide", "nat", "lan"] {
                let said = try lab.inside("curl", "-s", "-m", "10", page(name)).text
                #expect(said == "hello from g\(name)", "the host, of \(name)")
            }
            for (name, isReached) in [("held", false), ("wide", true), ("nat", false), ("lan", true)] {
                let command = ["ip", "netns", "exec", "outside", "curl", "-s", "-m", "4", page(name)]
                let said = try Shell.run(
                    lab.vhostCommand("exec", lab.name) + command, environment: ["VCTL_LAB": Lab.base]
                ).text
                #expect((said == "hello from g\(name)") == isReached, "outside, of \(name)")
            }
            let seen = ["wide": address["wide"], "nat": Wires.host.four, "lan": address["lan"]]
            for (name, source) in seen {
                try Self.type("echo SEEN-$(nc \(Wires.outside.four) 7000)-END\n", to: "g\(name)", lab)
                try lab.awaitConsole("g\(name)", "SEEN-\(source ?? "?")-END")
            }
        }

        private static func type(_ text: String, to name: String, _ lab: Lab) throws {
            let outcome = try lab.curl(
                "-f", "-X", "POST", "-H", "Content-Type: application/octet-stream", "--data-binary", text,
                "http://x/v1/vms/\(name)/console/input")
            try outcome.isDone()
        }

        // MARK: Rules

        @Test func rulesComeBackAndNoOthersAreTouched() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            try wire.sh("nft add table inet theirs; nft add chain inet theirs kept")
            let whole = try wire.rules()
            #expect(whole.contains("masquerade"))
            try wire.sh("nft flush table inet vctl")
            try eventually("flushed rules are back") { try wire.rules() == whole }
            try wire.sh("nft delete table inet vctl")
            try eventually("a removed table is back") { try wire.rules() == whole }
            try lab.crash()
            try wire.sh("nft delete table inet vctl")
            try lab.startDaemon()
            try eventually("a new daemon writes the rules") { try wire.rules() == whole }
            #expect(try lab.inside("nft", "list", "table", "inet", "theirs").out.contains("chain kept"))
            try wire.sh("nft delete table inet theirs")
        }

        @Test func nothingIsLeftOfADeletedNetwork() throws {
            let lab = try Self.wire().lab
            let wire = Wires(lab: lab)
            let links = try wire.sh("ls /sys/class/net").lines.sorted()
            let rules = try wire.rules()
            try lab.must("network", "create", "brief", "--model", "nat", "--subnet6", "auto")
            let bridge = try wire.bridge("brief")
            #expect(try wire.rules().contains(bridge))
            try lab.must("network", "delete", "brief", "--yes")
            #expect(try wire.sh("ls /sys/class/net").lines.sorted() == links)
            #expect(try wire.rules() == rules)
            #expect(try !lab.virsh("net-list", "--all", "--name").lines.contains("brief"))
            #expect(try lab.inside("pgrep", "-f", "dnsmasq/brief.conf").status == 1)
        }

        // MARK: Changes

        /// A guest that pings while DHCP changes hears every answer.
        @Test func changesUnderAGuestDropNoPacket() throws {
            let wire = try Self.wire()
            try wire.add("still", to: try wire.bridge("nat"), ["10.63.0.50/24"], gateways: ["via 10.63.0.1"])
            defer { try? wire.remove("still") }
            try wire.sh(
                """
                ip netns exec still \(Wires.program) ping \(Wires.outside.four) >/run/still.ping 2>&1 &
                echo $! >/run/still.pid
                """)
            for range in ["10.63.0.100-10.63.0.120", "none", "10.63.0.2-10.63.0.254"] {
                try wire.lab.must("network", "set", "nat", "--dhcp-range", range, "--label", "range=\(range)")
            }
            try wire.sh("kill $(cat /run/still.pid)")
            try eventually("it says how many came back") { try !wire.sh("cat /run/still.ping").out.isEmpty }
            let said = try wire.sh("cat /run/still.ping").text
            let sent = Int(said.split(separator: " ").dropFirst().first ?? "") ?? 0
            #expect(said.hasSuffix(" lost 0") && sent >= 10, "\(said)")
            #expect(try wire.network("nat").dhcpRanges.map(\.description) == ["10.63.0.2-10.63.0.254"])
            let live = try wire.lab.virsh("net-dumpxml", "nat").out
            #expect(live.contains("start='10.63.0.2' end='10.63.0.254'"))
        }

        @Test func aRestartConnectsGuestsAgain() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            try lab.must("network", "create", "moving", "--model", "routed", "--subnet", "10.70.0.0/24")
            defer {
                try? lab.remove("gmoving")
                _ = try? lab.vctl("network", "delete", "moving", "--yes")
            }
            let vm = try lab.create("gmoving", "--network", "moving", "--wait-for", "ip")
            let address = try #require(try lab.vm("gmoving").nics.first?.addresses.first?.address)
            let refused = try lab.vctl("network", "set", "moving", "--domain", "moving.test")
            #expect(refused.status == 4 && refused.err.contains("network.restart"))
            #expect(refused.err.contains("gmoving"))
            #expect(try lab.vctl("network", "stop", "moving").status == 4)
            try lab.must("network", "start", "moving")
            #expect(try lab.vm("gmoving").nics.first?.addresses.first?.address == address)
            try lab.must("network", "set", "moving", "--domain", "moving.test", "--force")
            let tap = try #require(try lab.vm("gmoving").nics.first?.tap ?? vm.nics.first?.tap)
            #expect(try wire.sh("ip -o link show \(tap)").out.contains("master"))
            try eventually("the guest answers again") {
                try lab.inside("curl", "-s", "-m", "2", "http://\(address)/").text == "hello from gmoving"
            }
            #expect(try lab.vctl("network", "delete", "moving", "--yes").err.contains("gmoving"))
        }

        // MARK: Refusals, and others' networks

        /// What dnsmasq tells beside an address, as a guest's own DHCP client says it.
        @Test func guestsAreToldTimeServersAndRoutes() throws {
            let lab = try Lab.current
            try lab.must(
                "network", "create", "opts", "--model", "nat", "--subnet", "10.68.0.0/24", "--ntp",
                "10.68.0.1,10.68.0.9", "--route", "10.99.0.0/16,via=10.68.0.7")
            try lab.create("told", "--network", "opts", "--wait-for", "agent", "--timeout", "4m")
            let asking = """
                printf '#!/bin/sh\necho "$1 ntp=$ntpsrv routes=$staticroutes"\n' >/tmp/say; chmod +x /tmp/say
                udhcpc -i eth0 -n -q -t 5 -T 2 -O ntpsrv -O staticroutes -s /tmp/say 2>&1 | grep ^bound
                """
            let told = { try lab.must("exec", "told", "--", "sh", "-c", asking).out }
            #expect(
                try told() == "bound ntp=10.68.0.1 10.68.0.9"
                    + " routes=0.0.0.0/0 10.68.0.1 10.99.0.0/16 10.68.0.7\n")
            try lab.must("network", "set", "opts", "--ntp", "none", "--route", "none", "--force")
            #expect(try told() == "bound ntp= routes=\n")
            let wrong = try lab.vctl(
                "network", "set", "opts", "--route", "10.99.0.0/16,via=10.67.0.1", "--force")
            #expect(wrong.status == 64 && wrong.err.contains("inside of the network's subnet"), "\(wrong)")
            try lab.remove("told")
            try lab.must("network", "delete", "opts", "--yes")
        }

        @Test func badInputChangesNothing() throws {
            let lab = try Self.wire().lab
            let before = try lab.must("network", "list", "--format", "json").out
            let cases: [(String, Int32, [String])] = [
                ("overlap", 4, ["--model", "nat", "--subnet", "10.63.0.128/25"]),
                ("route", 4, ["--model", "nat", "--subnet", "203.0.113.0/25"]),
                ("host bits", 64, ["--model", "nat", "--subnet", "10.80.0.1/24"]),
                ("no subnet", 64, ["--model", "nat", "--subnet", "ten"]),
                (
                    "range", 64,
                    ["--model", "nat", "--subnet", "10.80.0.0/24", "--dhcp-range", "10.81.0.2-10.81.0.9"]
                ),
                ("bridge", 64, ["--model", "bridged", "--bridge", "br00"]),
                ("long bridge", 64, ["--model", "bridged", "--bridge", "sixteen-bytes-br"]),
                ("VLAN 0", 64, ["--model", "bridged", "--bridge", "br0", "--vlan", "0"]),
                ("VLAN 4095", 64, ["--model", "bridged", "--bridge", "br0", "--vlan", "4095"]),
                ("model", 64, ["--model", "magic"]),
                ("no addresses", 64, ["--model", "isolated", "--subnet", "10.80.0.0/24"]),
            ]
            for (what, status, flags) in cases {
                let outcome = try lab.run(["network", "create", "wrong"] + flags)
                #expect(outcome.status == status, "\(what): \(outcome)")
                #expect(outcome.err.hasPrefix("error: ") && outcome.out.isEmpty, "\(what): \(outcome)")
            }
            #expect(try lab.vctl("network", "create", "nat", "--model", "nat").status == 4)
            #expect(try lab.vctl("network", "show", "natt").err.contains("nat"))
            #expect(try lab.vctl("network", "delete", "wrong", "--yes").status == 3)
            let same = { (text: String) in
                try decode([Network].self, text).map { "\($0.id) \($0.name) \($0.state) \($0.labels)" }
            }
            #expect(try same(lab.must("network", "list", "--format", "json").out) == same(before))
        }

        @Test func networksOfOthersAreUsedAndNotChanged() throws {
            let lab = try Self.wire().lab
            let definition = try lab.virsh("net-dumpxml", "--inactive", "default").out
            let theirs = try Wires(lab: lab).network("default")
            #expect(!theirs.managed && theirs.model == .nat && theirs.state == .running)
            for arguments in [
                ["stop", "default"], ["delete", "default", "--yes"], ["set", "default", "--label", "a=b"],
            ] {
                let outcome = try lab.run(["network"] + arguments)
                #expect(outcome.status == 4 && outcome.err.contains("network.foreign"), "\(outcome)")
            }
            #expect(try lab.virsh("net-dumpxml", "--inactive", "default").out == definition)
            try lab.must("network", "adopt", "default", "--label", "a=b")
            #expect(try Wires(lab: lab).network("default").managed)
            try lab.must("network", "release", "default")
            #expect(try lab.virsh("net-dumpxml", "--inactive", "default").out == definition)
        }

        @Test func whatVirshDoesIsSeen() throws {
            let wire = try Self.wire()
            let file = try wire.lab.write("seen.xml", "<network><name>seen</name></network>")
            try wire.lab.virsh("net-define", file)
            try eventually("the network is seen") { try wire.lab.vctl("network", "show", "seen").status == 0 }
            try wire.lab.virsh("net-start", "seen")
            try eventually("it runs") { try wire.network("seen").state == .running }
            try wire.lab.virsh("net-destroy", "seen")
            try wire.lab.virsh("net-undefine", "seen")
            try eventually("it is gone") { try wire.lab.vctl("network", "show", "seen").status == 3 }
        }
    }
}

extension Outcome {
    /// - Throws: ``ShellFailure`` where it did not end with 0.
    func isDone() throws {
        guard status == 0 else { throw ShellFailure(outcome: self, reason: "failed") }
    }
}
