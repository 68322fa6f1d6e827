// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// Networks and TAPs in numbers.
    @Suite(.hosted("many"))
    struct ManyLinks {
        /// What a host has of networks, by what it is.
        private static let looks = [
            "links": "ip -o link | sed 's/^[0-9]*: //; s/@.*//; s/:.*//' | sort",
            "addresses": "ip -o addr | sed 's/^[0-9]*: //' | sort; ip route; ip -6 route",
            "rules": "nft -s list ruleset; iptables-save | grep -v '^[#:]'; ip6tables-save | grep -v '^[#:]'",
            "processes": "pgrep -a dnsmasq | sed 's/^[0-9]* //' | sort",
            "files": """
            find /var/lib/vctld /etc/vctl /run/vctld /var/lib/libvirt /etc/libvirt /run/libvirt \
                ! -type d | sort
            """,
            "libvirt's": "virsh -q net-list --all --name | sort",
        ]

        /// Those with addresses have a dnsmasq each, of which all hosts on this machine together can have as
        /// many as its kernel says; so most networks have none, and some are not started.
        private static func kind(_ number: Int) -> String {
            let subnet = #""subnet":"10.\#(number).0.0/24""#
            return switch number % 5 {
            case 0: #""model":"nat",\#(subnet)"#
            case 1: #""model":"nat",\#(subnet),"start":false"#
            case 2: #""model":"routed",\#(subnet),"start":false"#
            default: #""model":"isolated""#
            }
        }

        @Test func twoHundredOfEachLeaveNothing() throws {
            let lab = try Lab.current
            try lab.inside("ip", "link", "add", "br7", "type", "bridge")
            // Folders, and chains of libvirt's own, come with the first of a kind and stay.
            try make(lab, 0..<5)
            try remove(lab, 0..<5)
            let before = try settled(lab)
            let numbers = 0..<200
            try make(lab, numbers)
            let links = try lab.inside("ls", "/sys/class/net").lines
            #expect(links.count { $0.hasPrefix("tap") } == 200)
            #expect(links.count { $0.hasPrefix("vbr") } == 120, "those that are started")
            let listing = try lab.inside("nft", "list", "table", "inet", "vctl").out
            #expect(listing.components(separatedBy: "chain leaving_").count - 1 == 160, "nat and isolated")
            #expect(listing.components(separatedBy: " masquerade\n").count - 1 == 80)
            let served = "pgrep -a dnsmasq | grep -o 'many[0-9]*[.]conf' | sort -u | wc -l"
            #expect(try lab.inside("sh", "-c", served).text == "40")
            try remove(lab, numbers)
            // Who is told to end ends a moment later.
            try? eventually("nothing is left") { try look(lab) == before }
            let after = try look(lab)
            for (what, text) in before { #expect(after[what] == text, "\(what)") }
            for noun in ["network", "tap"] {
                let left = try lab.must(noun, "list", "--format", "name").lines
                #expect(left.allSatisfy { !$0.hasPrefix("many") && !$0.hasPrefix("tap") }, "\(left)")
            }
            #expect(lab.list("\(lab.state)/objects/tap") == [])
            try lab.inside("ip", "link", "delete", "br7")
        }

        private func make(_ lab: Lab, _ numbers: Range<Int>) throws {
            for number in numbers {
                try send(lab, "POST", "networks", #"{"name":"many\#(number)",\#(Self.kind(number))}"#)
                try send(lab, "POST", "taps", #"{"name":"tap\#(number)","bridge":"br7"}"#)
            }
            try awaitAll(lab)
        }

        private func remove(_ lab: Lab, _ numbers: Range<Int>) throws {
            for number in numbers {
                try send(lab, "DELETE", "networks/many\(number)")
                try send(lab, "DELETE", "taps/tap\(number)")
            }
            try awaitAll(lab)
        }

        private func send(_ lab: Lab, _ method: String, _ target: String, _ body: String? = nil) throws {
            let request = Request(method: method, target: "/v1/\(target)")
            let whole = body.map { request.bytes(Array($0.utf8), as: "application/json") }
            _ = try lab.client().send(whole ?? request)
        }

        private func awaitAll(_ lab: Lab) throws {
            try eventually("all operations end", seconds: 600) {
                try lab.operations().allSatisfy { $0.status != .running && $0.status != .pending }
            }
            let failed = try lab.operations().filter { $0.status != .succeeded }
            try #require(failed.isEmpty, "\(failed.compactMap(\.error))")
        }

        /// How it is once nothing of what was removed is left, and nothing moves any more.
        private func settled(_ lab: Lab) throws -> [String: String] {
            var last = try look(lab)
            try eventually("what was removed is gone") {
                let now = try look(lab)
                defer { last = now }
                return now == last && !now.values.contains { $0.contains("many") || $0.contains("tap0") }
            }
            for what in ["links", "addresses", "rules", "files", "libvirt's"] {
                #expect(last[what]?.isEmpty == false, "\(what) are not seen")
            }
            return last
        }

        private func look(_ lab: Lab) throws -> [String: String] {
            try Self.looks.mapValues { try lab.inside("sh", "-c", $0).out }
        }
    }
}
