// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Guests that lie about who they are, and those that do not.
    @Suite(.hosted("spoof"))
    struct Spoofing {
        private static let host = "192.168.122.1"

        @Test func aGuestThatSpoofsIsHeardOnlyWithoutAntiSpoofing() throws {
            let lab = try Lab.current
            for name in ["liar", "victim"] {
                try lab.create(name, "--network", "default", "--wait-for", "ip", "--timeout", "4m")
                try lab.must("vm", "wait", name, "--for", "agent", "--timeout", "4m")
            }
            let liar = try #require(try lab.vm("liar").nics.first)
            let victim = try #require(try lab.vm("victim").nics.first)
            let address = try #require(liar.addresses.first?.address)
            let stolen = try #require(victim.addresses.first?.address)
            let lies = Lie.all(liar, of: victim, stolen)
            for lie in lies { #expect(try succeeds(lab, lie), "without: \(lie.name)") }
            try lab.must("vm", "nic", "set", "liar", liar.mac, "--anti-spoofing")
            #expect(try lab.vm("liar").nics.first?.antiSpoofing == true)
            #expect(try reaches(lab, "liar", Self.host) && reaches(lab, "liar", stolen))
            for lie in lies { #expect(try !succeeds(lab, lie), "with: \(lie.name)") }
            #expect(try reaches(lab, "liar", Self.host), "as itself it is heard")
            // DHCP, and an answer to who asks for its address.
            let renewed = "ip neigh flush all; udhcpc -i eth0 -n -q -t 5 -T 2"
            try lab.must("exec", "liar", "--", "sh", "-c", renewed)
            try lab.inside("ip", "neigh", "flush", "dev", "virbr0")
            #expect(try lab.inside("ping", "-c", "3", "-W", "2", address).status == 0)
            try truths(lab, liar, lies)
            try lab.must("vm", "nic", "set", "liar", liar.mac, "--no-anti-spoofing")
            #expect(try table(lab) == nil)
            #expect(try succeeds(lab, lies[0]))
            try lab.remove("liar", "victim")
        }

        /// What is no lie, although nobody could know it from the MAC.
        private func truths(_ lab: Lab, _ liar: VM.NIC, _ lies: [Lie]) throws {
            // An address of IPv6 that it chose, after it has asked whether it is free.
            try lab.must("exec", "victim", "ip", "-6", "addr", "add", "fd00:77::1/64", "dev", "eth0")
            let asked = "while ip -6 addr show dev eth0 | grep -q tentative; do sleep 1; done"
            let chosen = "ip -6 addr add fd00:77::c0de/64 dev eth0; \(asked); ping6 -c 3 -W 2 fd00:77::1"
            try lab.must("exec", "liar", "--", "sh", "-c", chosen)
            // An address that is said to be its own, and is so no more.
            try lab.must("vm", "nic", "set", "liar", liar.mac, "--ip", "192.168.122.77")
            #expect(try succeeds(lab, lies[0]))
            // What the kernel has learned outlives other changes, and the rules themselves.
            try lab.inside("nft", "delete", "table", "bridge", "vctl")
            try eventually("the rules are put back") { try table(lab) != nil }
            try lab.must("exec", "liar", "--", "ping6", "-c", "3", "-W", "2", "fd00:77::1")
            try lab.must("vm", "nic", "set", "liar", liar.mac, "--ip", "none")
            #expect(try !succeeds(lab, lies[0]))
        }

        /// A way to speak as somebody else, how it is seen that it is heard, and the way back to the truth.
        private struct Lie {
            var name: String
            var prepare: String
            var speak: String
            var undo: String
            /// An address whose neighbour the host shall then take the liar for.
            var claimed: (address: String, mac: String)?

            static func all(_ liar: VM.NIC, of victim: VM.NIC, _ stolen: String) -> [Lie] {
                let wrong = "52:54:00:de:ad:01"
                let link = "fe80::" + Lie.interfaceID(victim.mac)
                return [
                    Lie(
                        name: "IPv4", prepare: "ip addr add 192.168.122.77/24 dev eth0",
                        speak: "ping -c 3 -W 2 -I 192.168.122.77 192.168.122.1",
                        undo: "ip addr del 192.168.122.77/24 dev eth0"),
                    Lie(
                        name: "MAC", prepare: "ip link set eth0 address \(wrong)",
                        speak: "ping -c 3 -W 2 192.168.122.1",
                        undo: "ip link set eth0 address \(liar.mac)"),
                    Lie(
                        name: "IPv6",
                        prepare: "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad;"
                            + " ip -6 addr flush dev eth0; ip -6 addr add fe80::bad:1/64 dev eth0",
                        speak: "ping6 -c 3 -W 2 \(link)%eth0",
                        undo: "ip -6 addr flush dev eth0; echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_dad;"
                            + " ip -6 addr add fe80::\(Lie.interfaceID(liar.mac))/64 dev eth0"),
                    Lie(
                        name: "ARP", prepare: "ip addr add \(stolen)/24 dev eth0",
                        speak: "arping -U -c 4 -I eth0 -s \(stolen) \(stolen)",
                        undo: "ip addr del \(stolen)/24 dev eth0", claimed: (stolen, liar.mac)),
                ]
            }

            private static func interfaceID(_ mac: String) -> String {
                let bytes = mac.split(separator: ":").map(String.init)
                let first = String((UInt8(bytes[0], radix: 16) ?? 0) ^ 2, radix: 16)
                return "\(first)\(bytes[1]):\(bytes[2])ff:fe\(bytes[3]):\(bytes[4])\(bytes[5])"
            }
        }

        private func succeeds(_ lab: Lab, _ lie: Lie) throws -> Bool {
            // The host shall know the honest neighbour, and nothing of what was said before.
            try lab.inside("ip", "neigh", "flush", "dev", "virbr0")
            if let claimed = lie.claimed {
                #expect(try lab.inside("ping", "-c", "1", "-W", "5", claimed.address).status == 0)
            }
            let said = try lab.vctl(
                "exec", "liar", "--", "sh", "-c", "\(lie.prepare); \(lie.speak); s=$?; \(lie.undo); exit $s")
            guard let claimed = lie.claimed else { return said.status == 0 }
            let seen = try lab.inside("ip", "neigh", "show", claimed.address).text
            return seen.contains(claimed.mac)
        }

        private func reaches(_ lab: Lab, _ vm: String, _ address: String) throws -> Bool {
            try lab.vctl("exec", vm, "--", "ping", "-c", "3", "-W", "2", address).status == 0
        }

        private func table(_ lab: Lab) throws -> String? {
            let outcome = try lab.inside("nft", "list", "table", "bridge", "vctl")
            return outcome.status == 0 ? outcome.out : nil
        }

        @Test func rulesAgainstSpoofingComeFirstAndStay() throws {
            let lab = try Lab.current
            try lab.create("early", "--no-start", "--network", "default,anti-spoofing=yes")
            let tap = try #require(try lab.vm("early").nics.first?.tap)
            #expect(try table(lab)?.contains("from_\(tap)") == true, "before it has ever run")
            try lab.inside("nft", "add", "table", "bridge", "theirs")
            try lab.must("vm", "start", "early")
            try lab.must("vm", "wait", "early", "--for", "agent", "--timeout", "4m")
            try lab.must("vm", "wait", "early", "--for", "ip", "--timeout", "1m")
            let address = try #require(try lab.vm("early").nics.first?.addresses.first?.address)
            #expect(try reaches(lab, "early", Self.host), "with an address by DHCP")
            #expect(try table(lab)?.contains(address) == true)
            try lab.inside("nft", "delete", "table", "bridge", "vctl")
            try eventually("the rules are put back") { try table(lab)?.contains("from_\(tap)") == true }
            #expect(try reaches(lab, "early", Self.host), "its address is still known")
            try lab.crash()
            try lab.inside("nft", "delete", "table", "bridge", "vctl")
            try lab.startDaemon()
            try eventually("the rules are put back") { try table(lab)?.contains("from_\(tap)") == true }
            #expect(try reaches(lab, "early", Self.host), "its address is still known")
            try plugged(lab)
            try lab.must("vm", "restart", "early", "--force")
            try lab.must("vm", "wait", "early", "--for", "agent", "--timeout", "4m")
            #expect(try reaches(lab, "early", Self.host), "after another start")
            try lab.remove("early")
            #expect(try table(lab) == nil)
            #expect(try lab.inside("nft", "list", "table", "bridge", "theirs").status == 0)
        }

        private func plugged(_ lab: Lab) throws {
            try lab.must("vm", "nic", "add", "early", "default,anti-spoofing=yes")
            let second = try #require(try lab.vm("early").nics.last)
            #expect(try table(lab)?.contains("from_\(second.tap ?? "?")") == true)
            let ask = "until [ -e /sys/class/net/eth1 ]; do sleep 1; done; ip link set eth1 up"
            try lab.must("exec", "early", "--", "sh", "-c", "\(ask); udhcpc -i eth1 -n -q -t 5 -T 2")
            try eventually("what DHCP gave it is its own") {
                let addresses = try lab.vm("early").nics.last?.addresses ?? []
                let rules = try table(lab) ?? ""
                return !addresses.isEmpty && addresses.allSatisfy { rules.contains($0.address) }
            }
            try lab.must("vm", "nic", "remove", "early", second.mac)
            #expect(try table(lab)?.contains("from_\(second.tap ?? "?")") == false)
        }

        /// By its own trial: in a kernel that follows flows on bridges they work instead.
        @Test func groupsAreRefusedWhereTheKernelLacksWhatTheyNeed() throws {
            let lab = try Lab.current
            try lab.create("open", "--no-start", "--network", "default")
            let mac = try #require(try lab.vm("open").nics.first?.mac)
            try lab.must("securitygroup", "create", "web", "--allow", "tcp/80", "--if-not-exists")
            let rules =
                "table bridge t { chain c { type filter hook forward priority 0;"
                + " ct state established accept; }; }"
            let isFollowed = try lab.inside("unshare", "--net", "--", "nft", rules).status == 0
            let set = try lab.vctl("vm", "nic", "set", "open", mac, "--sg", "web")
            if isFollowed {
                #expect(try set.status == 0 && lab.vm("open").nics.first?.securityGroups == ["web"])
                #expect(try lab.vctl("sg", "delete", "web", "--yes").err.contains("securityGroup.inUse"))
            } else {
                #expect(set.status == 64 && set.err.contains("does not follow flows"), "\(set)")
                #expect(try lab.vm("open").nics.first?.securityGroups == nil && table(lab) == nil)
            }
            let unknown = try lab.vctl("vm", "nic", "set", "open", mac, "--sg", "nobody")
            #expect(unknown.status == 3 && unknown.err.contains("securityGroup.notFound"), "\(unknown)")
            try lab.remove("open")
            try lab.must("sg", "delete", "web", "--yes")
        }

        /// An address that was said is the NIC's by DHCP, too; IPv6 is chosen by the guest.
        @Test func anAddressThatWasSaidIsKeptAndGoesWithItsNIC() throws {
            let lab = try Lab.current
            try lab.must(
                "network", "create", "kept", "--model", "nat", "--subnet", "10.66.0.0/24", "--subnet6",
                "fd00:66::/64")
            let made = try lab.create(
                "owner", "--network", "kept,ip=10.66.0.77,anti-spoofing=yes", "--wait-for", "ip",
                "--timeout", "4m")
            let nic = try #require(made.nics.first)
            try eventually("it has its lease") {
                let known = try lab.vm("owner").nics.first?.addresses ?? []
                return known.contains { $0.address == "10.66.0.77" && $0.source == .lease }
            }
            #expect(try reservations(lab) == ["10.66.0.77"])
            let other = try lab.vctl(
                "vm", "create", "other", "--image", "tiny", "--network", "kept,ip=10.66.0.77")
            #expect(other.status == 4 && other.err.contains("network.reserved"), "\(other)")
            try lab.must("vm", "wait", "owner", "--for", "agent", "--timeout", "4m")
            #expect(try reaches(lab, "owner", "10.66.0.1"))
            try routed(lab)
            try lab.must("vm", "nic", "set", "owner", nic.mac, "--ip", "10.66.0.78")
            #expect(try reservations(lab) == ["10.66.0.78"])
            try lab.must("exec", "owner", "--", "udhcpc", "-i", "eth0", "-n", "-q", "-t", "5", "-T", "2")
            #expect(try reaches(lab, "owner", "10.66.0.1"))
            let addresses = try lab.must("exec", "owner", "ip", "addr").out
            #expect(addresses.contains("10.66.0.78"), "\(addresses)")
            try lab.remove("owner")
            #expect(try reservations(lab).isEmpty)
            try lab.must("network", "delete", "kept", "--yes")
        }

        /// By its router's advertisement it has an address; with another prefix nobody hears it.
        private func routed(_ lab: Lab) throws {
            try eventually("the guest has an address of the prefix") {
                try lab.must("exec", "owner", "ip", "-6", "addr").out.contains("fd00:66::")
            }
            let ask = "while ip -6 addr show dev eth0 | grep -q tentative; do sleep 1; done"
            let ping = "ping6 -c 3 -W 2"
            try lab.must("exec", "owner", "--", "sh", "-c", "\(ask); \(ping) fd00:66::1")
            let bridge = try decode(
                Network.self, lab.must("network", "show", "kept", "--format", "json").out
            ).bridge
            try lab.inside("ip", "-6", "addr", "add", "2001:db8::1/64", "dev", try #require(bridge))
            let lie =
                "ip -6 addr add 2001:db8::7/64 dev eth0; \(ask); \(ping) 2001:db8::1; s=$?;"
                + " ip -6 addr del 2001:db8::7/64 dev eth0; exit $s"
            #expect(try lab.vctl("exec", "owner", "--", "sh", "-c", lie).status != 0)
            let mac = try #require(try lab.vm("owner").nics.first?.mac)
            try lab.must("vm", "nic", "set", "owner", mac, "--no-anti-spoofing")
            #expect(try lab.vctl("exec", "owner", "--", "sh", "-c", lie).status == 0, "without it is heard")
            try lab.must("vm", "nic", "set", "owner", mac, "--anti-spoofing")
        }

        private func reservations(_ lab: Lab) throws -> [String] {
            try decode(
                [NetworkReservation].self,
                lab.must("network", "reservation", "list", "kept", "--format", "json").out
            ).map(\.address.description)
        }
    }
}
