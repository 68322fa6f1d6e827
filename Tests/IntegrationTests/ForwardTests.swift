// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Leases, reservations, names and forwards, with a real guest and its neighbours.
    @Suite(.hosted("fwd"))
    struct Forwards {
        private static func wires() throws -> Wires {
            let wires = Wires(lab: try Lab.current)
            guard try wires.lab.inside("ip", "link", "show", "br0").status != 0 else { return wires }
            try wires.makeLAN()
            try wires.lab.must(
                "network", "create", "lab", "--model", "nat", "--subnet", "10.63.0.0/24", "--domain",
                "lab.test")
            try wires.lab.create("web1", "--network", "lab", "--wait-for", "ip")
            return wires
        }

        private static func address(_ lab: Lab) throws -> String {
            try #require(try lab.vm("web1").nics.first?.addresses.first?.address)
        }

        private static func fetch(_ wires: Wires, from place: String, _ url: String) throws -> String {
            let inside = place.isEmpty ? [] : ["ip", "netns", "exec", place]
            return try Shell.run(
                wires.lab.vhostCommand("exec", wires.lab.name) + inside + ["curl", "-s", "-m", "4", url],
                environment: ["VCTL_LAB": Lab.base]
            ).text
        }

        @Test func forwardsLeadThereFromEverywhere() throws {
            let wires = try Self.wires()
            let lab = wires.lab
            try wires.add(
                "next", to: try wires.bridge("lab"), ["10.63.0.250/24"], gateways: ["via 10.63.0.1"])
            defer { try? wires.remove("next") }
            let before = try wires.rules()
            try lab.must("network", "forward", "add", "lab", "tcp", "0.0.0.0:8080", "web1:80")
            let url = "http://\(Wires.host.four):8080/"
            for place in ["outside", "", "next"] {
                #expect(try Self.fetch(wires, from: place, url) == "hello from web1", "from \(place)")
            }
            #expect(try Self.fetch(wires, from: "", "http://127.0.0.1:8080/") == "hello from web1")
            try lab.must("vm", "wait", "web1", "--for", "agent", "--timeout", "3m")
            // busybox ends with what it is told, and not with what it hears.
            let say = "(printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 2)"
            let ask = "\(say) | timeout 5 nc \(Wires.host.four) 8080 | tail -n 1"
            let own = try lab.must("exec", "web1", "--", "sh", "-c", ask).text
            #expect(own == "hello from web1", "from its own guest")
            try Self.survives(wires, url)
            let taken = try lab.vctl("network", "forward", "add", "lab", "tcp", "8080", "web1:81")
            #expect(taken.status == 4 && taken.err.contains("forward.taken"), "\(taken)")
            let used = try lab.vctl("network", "forward", "add", "lab", "tcp", "7000", "web1:80")
            #expect(used.status == 4 && used.err.contains("7000"), "a program listens there: \(used)")
            try lab.must("network", "forward", "remove", "lab", "tcp:8080")
            #expect(try Self.fetch(wires, from: "outside", url).isEmpty)
            #expect(try wires.rules() == before)
            #expect(lab.list("\(lab.state)/objects/forward").isEmpty)
        }

        private static func survives(_ wires: Wires, _ url: String) throws {
            let lab = wires.lab
            try wires.sh("nft delete table inet vctl")
            try eventually("the forward is back") {
                try fetch(wires, from: "outside", url) == "hello from web1"
            }
            try lab.crash()
            try lab.startDaemon()
            try lab.must("network", "stop", "lab", "--force")
            try lab.must("network", "start", "lab")
            try lab.must("vm", "restart", "web1", "--force")
            try eventually("the guest answers after all restarts", seconds: 180) {
                try fetch(wires, from: "outside", url) == "hello from web1"
            }
        }

        @Test func rangesAndUDPLeadThere() throws {
            let wires = try Self.wires()
            try wires.lab.must("network", "forward", "add", "lab", "tcp", "9000-9010", "web1:75")
            #expect(
                try Self.fetch(wires, from: "outside", "http://\(Wires.host.four):9005/") == "hello from web1"
            )
            try wires.lab.must("network", "forward", "remove", "lab", "tcp:9000-9010")
            try wires.lab.must("network", "forward", "add", "lab", "udp", "5000", "web1:5000")
            let address = try Self.address(wires.lab)
            let send =
                "import socket; socket.socket(2, 2).sendto(b'there', ('\(Wires.host.four)', 5000))"
            try wires.sh("ip netns exec outside python3 -c \"\(send)\"")
            let flows = try wires.sh("grep dport=5000 /proc/net/nf_conntrack").lines
            #expect(flows.contains { $0.contains(" udp ") && $0.contains("src=\(address)") }, "\(flows)")
            try wires.lab.must("network", "forward", "remove", "lab", "udp:5000")
        }

        @Test func leasesAndReservationsAreTold() throws {
            let wires = try Self.wires()
            let lab = wires.lab
            let address = try Self.address(lab)
            let leases = try decode(
                [NetworkLease].self, lab.must("network", "leases", "lab", "--format", "json").out)
            #expect(leases.contains { $0.vm == "web1" && $0.address.description == address })
            #expect(
                try lab.vm("web1").nics.first?.addresses.first.map {
                    $0.source == .lease || $0.source == .agent
                } == true)
            _ = try lab.vctl("network", "reservation", "remove", "lab", "web1")
            try lab.must("network", "reservation", "add", "lab", "web1")
            #expect(try lab.vctl("network", "reservation", "add", "lab", "web1").status == 4)
            let listed = try lab.must("network", "reservation", "list", "lab").out
            #expect(listed.contains(address) && listed.contains("web1"))
        }

        /// A lease of a client that is gone is no reason to give a VM another address than its own.
        @Test func anOldLeaseDoesNotBeatAReservation() throws {
            let wires = try Self.wires()
            let lab = wires.lab
            try wires.add("old", to: try wires.bridge("lab"), [])
            try wires.sh(
                """
                ip netns exec old busybox udhcpc -i eth0 -n -q -f -t 10 -T 1 -r 10.63.0.77 -s /bin/true
                """)
            #expect(try lab.must("network", "leases", "lab").out.contains("10.63.0.77"))
            try wires.remove("old")
            try lab.create("web2", "--network", "lab", "--no-start")
            defer { try? lab.remove("web2") }
            try lab.must("network", "reservation", "add", "lab", "web2", "--address", "10.63.0.77")
            try lab.must("vm", "start", "web2")
            try lab.awaitConsole("web2", "GUEST-UP name=web2 ip=10.63.0.77")
        }

        @Test func namesAreResolved() throws {
            let wires = try Self.wires()
            let lab = wires.lab
            try lab.must("network", "dns", "add", "lab", "db.lab.test", "10.63.0.200")
            try lab.must("network", "dns", "add", "lab", "other.lab.test", "10.63.0.200")
            try lab.must("vm", "wait", "web1", "--for", "agent", "--timeout", "3m")
            let look = { (name: String) in
                try lab.vctl("exec", "web1", "--", "nslookup", name, "10.63.0.1").out
            }
            #expect(try look("db.lab.test").contains("10.63.0.200"))
            #expect(try look("other.lab.test").contains("10.63.0.200"))
            #expect(try look("web1.lab.test").contains(try Self.address(lab)))
            #expect(try lab.vctl("network", "dns", "add", "lab", "db.lab.test", "10.63.0.200").status == 4)
            try lab.must("network", "dns", "remove", "lab", "db.lab.test")
            #expect(try !look("db.lab.test").contains("10.63.0.200"))
            #expect(try look("other.lab.test").contains("10.63.0.200"))
            #expect(try lab.vctl("network", "dns", "remove", "lab", "db.lab.test").status == 3)
        }

        @Test func aNameHasTwoAddresses() throws {
            let lab = try Lab.current
            try lab.must("network", "create", "duo", "--model", "routed", "--subnet", "10.64.0.0/24")
            try lab.must("network", "dns", "add", "duo", "db.test", "10.64.0.200")
            let refused = try lab.vctl("network", "dns", "add", "duo", "db.test", "10.64.0.201")
            #expect(refused.status == 4 && refused.err.contains("(network.restart)"), "\(refused)")
            try lab.must("network", "stop", "duo")
            try lab.must("network", "dns", "add", "duo", "db.test", "10.64.0.201")
            try lab.must("network", "start", "duo")
            let look = { try lab.inside("busybox", "nslookup", "db.test", "10.64.0.1").out }
            #expect(try look().contains("10.64.0.200") && look().contains("10.64.0.201"))
            try lab.must("network", "dns", "remove", "duo", "10.64.0.200")
            #expect(try !look().contains("10.64.0.200") && look().contains("10.64.0.201"))
            try lab.must("network", "delete", "duo", "--yes")
        }
    }
}
