// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// `vctl network check`, on a host that is made worse and mended by the commands that it prints.
    @Suite(.hosted("check"))
    struct NetworkChecks {
        private static func wire() throws -> Wires {
            let wire = Wires(lab: try Lab.current)
            guard try wire.lab.inside("ip", "link", "show", "br0").status != 0 else { return wire }
            try wire.makeLAN()
            try wire.lab.must("network", "create", "deep", "--model", "isolated")
            for (name, flags, number) in [
                ("held", ["--model", "isolated", "--host-access"], 61), ("wide", ["--model", "routed"], 62),
                ("nat", ["--model", "nat"], 63),
            ] {
                let addresses = ["--subnet", "10.\(number).0.0/24", "--subnet6", "fd\(number)::/64"]
                try wire.lab.run(["network", "create", name] + flags + addresses).isDone()
            }
            try wire.lab.must("network", "create", "lan", "--model", "bridged", "--bridge", "br0")
            return wire
        }

        private struct Seen {
            let status: Int32
            let report: NetworkCheck

            /// `guest>outside ipv4 reached`, without what is not known.
            var ways: Set<String> {
                Set(
                    report.paths.compactMap { path in
                        path.seen.map { "\(path.from)>\(path.to) \(path.family) \($0)" }
                    })
            }
            var wrong: Set<String> {
                Set(
                    report.paths.filter { $0.verdict == .differs }.map {
                        "\($0.from)>\($0.to) \($0.family)"
                    })
            }
            var codes: Set<String> { Set(report.causes.map(\.code)) }

            func source(_ from: NetworkEnd, _ to: NetworkEnd, _ family: IPFamily) -> String? {
                report.paths.first { $0.from == from && $0.to == to && $0.family == family }?.source?
                    .description
            }
        }

        private static func check(_ name: String, _ lab: Lab) throws -> Seen {
            let outcome = try lab.vctl("network", "check", name, "--format", "json")
            let report = try decode(NetworkCheck.self, outcome.out)
            #expect(outcome.status == (report.verdict == .differs ? 1 : 0), "\(outcome)")
            return Seen(status: outcome.status, report: report)
        }

        /// What a person reads: the commands below the table.
        private static func printedCommands(_ name: String, _ lab: Lab) throws -> [String] {
            let outcome = try lab.vctl("network", "check", name)
            #expect(outcome.status == 1, "\(outcome)")
            return outcome.lines.filter { $0.hasPrefix("  → ") }.map { String($0.dropFirst(4)) }
        }

        private static func mend(_ commands: [String], _ lab: Lab) throws {
            #expect(!commands.isEmpty)
            for command in commands {
                let outcome = try lab.inside("sh", "-ec", "PATH=\(Lab.build):$PATH; \(command)")
                #expect(outcome.status == 0, "\(outcome)")
            }
        }

        private static func holds(_ name: String, _ lab: Lab) throws {
            let seen = try check(name, lab)
            #expect(seen.status == 0 && seen.report.verdict == .ok, "\(name): \(seen.report)")
        }

        // MARK: What the models promise

        /// Written down from what the models promise, and not taken from the report.
        private static func expected(_ name: String) -> Set<String> {
            let open = { (ways: [String], reach: String) in
                ways.flatMap { way in ["ipv4", "ipv6"].map { "\(way) \($0) \(reach)" } }
            }
            let (own, out) = (["guest>host", "host>guest"], ["guest>outside", "outside>guest"])
            let all = open(["guest>neighbour"], "reached")
            let dhcp = ["guest>dhcp ipv4 reached"]
            return switch name {
            case "deep": Set(all + open(own + out, "unreached"))
            case "held": Set(all + open(own, "reached") + open(out, "unreached") + dhcp)
            case "wide": Set(all + open(own + out, "reached") + dhcp)
            case "nat":
                Set(
                    all + open(own + ["guest>outside"], "reached") + open(["outside>guest"], "unreached")
                        + dhcp)
            default: Set(all + dhcp)
            }
        }

        @Test func everyModelKeepsItsPromise() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            let look = "ls /sys/class/net; ip addr show br0; ip route; ip -6 route; ls /run/netns"
            // A bridge gets its link-local address with the first link that is put into it.
            for name in ["deep", "held", "wide", "nat"] { _ = try Self.check(name, lab) }
            let before = try wire.sh(look).out
            let rules = try lab.inside("nft", "-s", "list", "ruleset").out
            for name in ["deep", "held", "wide", "nat", "lan"] {
                let seen = try Self.check(name, lab)
                #expect(seen.status == 0 && seen.ways == Self.expected(name), "\(name): \(seen.report)")
                #expect(seen.report.causes.isEmpty && seen.report.notes.isEmpty)
            }
            let (wide, nat) = (try Self.check("wide", lab), try Self.check("nat", lab))
            #expect(wide.source(.guest, .outside, .ipv4)?.hasPrefix("10.62.0.") == true)
            #expect(wide.source(.guest, .outside, .ipv6)?.hasPrefix("fd62:") == true)
            #expect(wide.source(.host, .guest, .ipv6) == "fd62::1")
            let outside = try #require(wide.source(.outside, .guest, .ipv4))
            #expect(outside.hasSuffix(".2"))
            #expect(nat.source(.guest, .outside, .ipv4) == outside.dropLast() + "1", "the host's address")
            #expect(nat.source(.guest, .outside, .ipv6)?.hasPrefix("2001:db8:") == true)
            #expect(try wire.sh(look).out == before, "nothing is left")
            #expect(try lab.inside("nft", "-s", "list", "ruleset").out == rules)
            #expect(try lab.must("network", "leases", "nat", "--format", "json").out == "[]\n")
        }

        @Test func aNetworkOfOthersIsCheckedAndNotChanged() throws {
            let lab = try Self.wire().lab
            let definition = try lab.virsh("net-dumpxml", "default").out
            try Self.holds("default", lab)
            let leak = "iptables-save >/run/saved; iptables -F LIBVIRT_FWI; iptables -F LIBVIRT_FWO"
            try lab.inside("sh", "-ec", leak)
            let seen = try Self.check("default", lab)
            #expect(seen.wrong == ["outside>guest ipv4"], "\(seen.report)")
            try lab.inside("sh", "-ec", "iptables-restore </run/saved")
            try Self.holds("default", lab)
            #expect(try lab.virsh("net-dumpxml", "default").out == definition)
        }

        @Test func whatIsNotThereIsSaid() throws {
            let lab = try Self.wire().lab
            #expect(try lab.vctl("network", "check", "nowhere").status == 3)
            for _ in 1...2 { try lab.must("network", "stop", "wide") }
            let commands = try Self.printedCommands("wide", lab)
            #expect(commands == ["vctl network start wide"])
            try Self.mend(commands, lab)
            try Self.holds("wide", lab)
        }

        // MARK: What others do to it

        private static let docker = """
            for tool in iptables ip6tables; do
                $tool -P FORWARD DROP; $tool -N DOCKER-USER; $tool -A DOCKER-USER -j RETURN
                $tool -I FORWARD -j DOCKER-USER
            done
            """
        private static let undocker = """
            for tool in iptables ip6tables; do
                $tool -P FORWARD ACCEPT; $tool -D FORWARD -j DOCKER-USER
                $tool -F DOCKER-USER; $tool -X DOCKER-USER
            done
            """

        private static func bridgeFilter(_ isOn: Bool, _ wire: Wires) throws {
            let value = isOn ? 1 : 0
            let names = ["iptables", "ip6tables"].map { "net.bridge.bridge-nf-call-\($0)=\(value)" }
            try wire.sh("sysctl -qw \(names.joined(separator: " "))")
        }

        @Test func whatDockerLeavesBehindIsNamedAndMended() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            try wire.sh(Self.docker)
            defer { _ = try? wire.sh(Self.undocker) }
            try Self.bridgeFilter(true, wire)
            let theirs = { try wire.sh("(iptables-save; ip6tables-save) | sed '/^#/d; s/ \\[.*//'").out }
            let before = try theirs()
            var hints: [String: [String]] = [:]
            for (name, ways) in [
                ("wide", ["guest>neighbour", "guest>outside", "outside>guest"]),
                ("nat", ["guest>neighbour", "guest>outside"]), ("lan", ["guest>neighbour"]),
            ] {
                let seen = try Self.check(name, lab)
                let both = Set(ways.flatMap { ["\($0) ipv4", "\($0) ipv6"] })
                #expect(seen.status == 1 && both.isSubset(of: seen.wrong), "\(name): \(seen.report)")
                #expect(seen.codes == ["forward.policy"], "\(name): \(seen.report.causes)")
                #expect(
                    seen.report.causes.allSatisfy { $0.message.hasPrefix("Docker lets the host forward") })
                #expect(seen.report.causes.allSatisfy { $0.message.contains("br_netfilter") })
                #expect(try theirs() == before, "a check changes nobody's rules")
                hints[name] = seen.report.causes.compactMap(\.hint)
            }
            let doctor = try decode([Finding].self, lab.vctl("host", "doctor", "--format", "json").out)
            let policy = doctor.filter { $0.check == "network.forwardPolicy" }
            #expect(policy.contains { $0.message.hasPrefix("Docker lets") && $0.status == .warning })
            let bridge = try wire.bridge("nat")
            let commands = try Self.printedCommands("nat", lab)
            #expect(
                Set(commands)
                    == Set(
                        ["iptables", "ip6tables"].map {
                            "\($0) -I DOCKER-USER -i \(bridge) -j ACCEPT"
                                + " && \($0) -I DOCKER-USER -o \(bridge) -j ACCEPT"
                        }))
            try Self.mend(commands, lab)
            try Self.holds("nat", lab)
            for name in ["wide", "lan"] {
                try Self.mend(hints[name] ?? [], lab)
                try Self.holds(name, lab)
            }
            // libvirt itself lets guests of its own networks reach each other, by the family that they have.
            let deep = try Self.check("deep", lab)
            #expect(deep.wrong == ["guest>neighbour ipv6"] && deep.codes == ["forward.policy"])
            let mended = try decode([Finding].self, lab.vctl("host", "doctor", "--format", "json").out)
            let rest = mended.filter { $0.check == "network.forwardPolicy" }.map(\.message).joined()
            #expect(!rest.contains(bridge), "\(rest)")
        }

        @Test func aPolicyWithoutDockerIsNamedAndMended() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            try Self.bridgeFilter(false, wire)
            defer { try? Self.bridgeFilter(true, wire) }
            try wire.sh(
                """
                nft add table inet own
                nft 'add chain inet own f { type filter hook forward priority 5; policy drop; }'
                """)
            let seen = try Self.check("wide", lab)
            #expect(
                seen.wrong == [
                    "guest>outside ipv4", "outside>guest ipv4", "guest>outside ipv6", "outside>guest ipv6",
                ], "\(seen.report)")
            try Self.mend(try Self.printedCommands("wide", lab), lab)
            try Self.holds("wide", lab)
            try wire.sh("nft delete table inet own; iptables-legacy -P FORWARD DROP")
            let commands = try Self.printedCommands("wide", lab)
            #expect(commands.allSatisfy { $0.hasPrefix("iptables-legacy -I FORWARD -i ") })
            try Self.mend(commands, lab)
            try Self.holds("wide", lab)
            try wire.sh("iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F FORWARD")
        }

        @Test func aHostThatForwardsNothingIsNamedAndMended() throws {
            let wire = try Self.wire()
            try wire.sh("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
            let seen = try Self.check("nat", wire.lab)
            #expect(seen.wrong == ["guest>outside ipv4", "guest>outside ipv6"], "\(seen.report)")
            #expect(seen.codes == ["forwarding.off"])
            let commands = try Self.printedCommands("nat", wire.lab)
            #expect(
                commands.sorted() == [
                    "sysctl -w net.ipv4.ip_forward=1", "sysctl -w net.ipv6.conf.all.forwarding=1",
                ])
            try Self.mend(commands, wire.lab)
            try Self.holds("nat", wire.lab)
        }

        @Test func aHostThatTakesNothingIsNamedAndMended() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            try wire.sh("iptables -P INPUT DROP")
            defer { _ = try? wire.sh("iptables -P INPUT ACCEPT; iptables -D INPUT 1") }
            let seen = try Self.check("nat", lab)
            #expect(
                seen.wrong == ["guest>host ipv4", "host>guest ipv4", "guest>dhcp ipv4"], "\(seen.report)")
            #expect(seen.codes == ["input.policy"])
            let doctor = try decode([Finding].self, lab.vctl("host", "doctor", "--format", "json").out)
            let commands = try Self.printedCommands("nat", lab)
            #expect(doctor.contains { $0.check == "network.service" && commands.contains($0.hint ?? "-") })
            try Self.mend(commands, lab)
            try Self.holds("nat", lab)
        }

        @Test func anotherRouteAndADeadServerAreNamedAndMended() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            try wire.sh(
                """
                ip link add other type bridge; ip link set other up
                ip route add 10.62.0.0/25 dev other; sysctl -qw net.ipv4.conf.all.rp_filter=1
                """)
            // In that half.
            try lab.must("network", "set", "wide", "--dhcp-range", "10.62.0.20-10.62.0.99")
            let seen = try Self.check("wide", lab)
            #expect(
                seen.codes == ["route.elsewhere"] && seen.wrong.contains("guest>host ipv4"), "\(seen.report)")
            #expect(seen.report.causes.first?.message.contains("rp_filter") == true)
            try Self.mend(try Self.printedCommands("wide", lab), lab)
            try wire.sh("sysctl -qw net.ipv4.conf.all.rp_filter=0")
            try Self.holds("wide", lab)
            try wire.sh("ip link del other")
            try wire.sh("kill -9 $(cat /run/libvirt/network/held.pid)")
            let dead = try Self.check("held", lab)
            #expect(dead.wrong == ["guest>dhcp ipv4"] && dead.codes == ["dhcp.gone"], "\(dead.report)")
            try Self.mend(try Self.printedCommands("held", lab), lab)
            try Self.holds("held", lab)
        }

        // MARK: What is left

        @Test func nothingIsLeftOfAnInterruptedCheck() throws {
            let wire = try Self.wire()
            let lab = wire.lab
            let links = try wire.sh("ls /sys/class/net").out
            let probes = { try wire.sh("ls /sys/class/net").lines.filter { $0.hasPrefix("vk") } }
            let checking = Thread { _ = try? lab.vctl("network", "check", "wide") }
            checking.start()
            try eventually("the probes are there") { try probes().count == 3 }
            #expect(try wire.sh("ip link").out.contains("alias vctl:"))
            try lab.crash()
            try eventually("the kernel takes them away") { try probes().isEmpty }
            // One that the kernel has no reason to remove.
            let instance = try wire.sh("cat /var/lib/vctld/instance-id").text.prefix(8)
            try wire.sh("ip link add vk\(instance)-0 type veth peer name stray")
            try wire.sh("ip link add vk\(instance)-more type veth peer name stray2")
            try lab.startDaemon()
            try eventually("they are removed at the start") { try probes().count == 1 }
            try wire.sh("ip link del stray2")
            #expect(try wire.sh("ls /sys/class/net").out == links)
            try Self.holds("wide", lab)
        }
    }
}
