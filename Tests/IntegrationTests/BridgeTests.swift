// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Bridges on a host whose kernel is real.
    @Suite(.hosted("bridges"))
    struct Bridges {
        @Test func aGuestTalksToTheHostOverIt() throws {
            let lab = try Lab.current
            try lab.bridge("create", "lan0", "--address", "10.77.0.1/24", "--address", "fd77::1/64")
            try lab.must("tap", "create", "lantap0", "--bridge", "lan0")
            // Another host at the other end of a cable.
            try lab.inside("ip", "link", "add", "out0", "type", "veth", "peer", "name", "in0")
            try lab.inside("ip", "netns", "add", "other")
            try lab.inside("ip", "link", "set", "in0", "netns", "other")
            for command in [
                "link set in0 up", "addr add 10.77.0.9/24 dev in0", "addr add fd77::9/64 dev in0 nodad",
            ] {
                try lab.inside("sh", "-c", "ip -n other \(command)")
            }
            let changed = try lab.bridge("set", "lan0", "--port", "out0")
            #expect(changed.ports == ["lantap0", "out0"])
            for address in ["10.77.0.9", "fd77::9"] {
                try eventually("\(address) answers") {
                    try lab.inside("busybox", "ping", "-c", "1", "-W", "1", address).status == 0
                }
            }
            let refused = try lab.vctl("bridge", "delete", "lan0", "--yes")
            #expect(refused.status == 4 && refused.err.contains("lantap0"), "\(refused)")
            try lab.must("tap", "delete", "lantap0", "--yes")
            try lab.must("bridge", "delete", "lan0", "--yes")
            #expect(try !lab.inside("ip", "link", "show", "out0").out.contains("master"))
            try lab.inside("ip", "netns", "delete", "other")
        }

        /// They would go with the bridge, and nobody could bring them back.
        @Test func whatOthersPutOntoItKeepsIt() throws {
            let lab = try Lab.current
            try lab.bridge("create", "top0", "--address", "10.76.0.1/24")
            try lab.inside("ip", "link", "add", "topmv0", "link", "top0", "type", "macvlan")
            for flags in [[], ["--force"], ["--force", "--confirm-timeout", "10s"]] {
                let refused = try lab.run(["bridge", "delete", "top0", "--yes"] + flags)
                #expect(refused.status == 4 && refused.err.contains("topmv0"), "\(refused)")
                #expect(refused.err.contains("hint: ip link delete topmv0"), "\(refused)")
            }
            #expect(try lab.inside("ip", "link", "show", "topmv0").status == 0)
            try lab.inside("ip", "link", "delete", "topmv0")
            try lab.must("bridge", "delete", "top0", "--yes")
        }

        /// Whoever takes a port out and puts it back loses nothing that was set for it.
        @Test func portsComeBackAsTheyWere() throws {
            let lab = try Lab.current
            try lab.inside("ip", "link", "add", "pf0", "type", "veth", "peer", "name", "pf1")
            try lab.inside("ip", "link", "add", "pf2", "type", "veth", "peer", "name", "pf3")
            // The kernel does not make this one a port.
            try lab.inside("ip", "link", "add", "pf4", "link", "pf2", "type", "macvlan")
            try lab.bridge("create", "pb0", "--port", "pf0")
            try lab.inside(
                "bridge", "link", "set", "dev", "pf0", "isolated", "on", "hairpin", "on", "learning", "off")
            func flags() throws -> String {
                let text = try lab.inside("bridge", "-d", "link", "show", "dev", "pf0").out
                return String(text[(text.range(of: "hairpin")?.lowerBound ?? text.endIndex)...])
            }
            let before = try flags()
            #expect(before.contains("isolated on") && before.contains("learning off"), "\(before)")
            let failed = try lab.vctl("bridge", "set", "pb0", "--port", "pf2")
            #expect(failed.status == 1, "\(failed)")
            #expect(try flags() == before)
            for change in [
                ["set", "pb0", "--no-port", "--confirm-timeout", "60s"],
                ["delete", "pb0", "--yes", "--confirm-timeout", "60s"],
            ] {
                let outcome = try lab.run(["bridge"] + change)
                #expect(outcome.status == 0, "\(outcome)")
                #expect(try !lab.inside("ip", "link", "show", "pf0").out.contains("master"))
                try lab.must("bridge", "rollback", "pb0")
                #expect(try flags() == before, "\(change)")
            }
            try lab.must("bridge", "delete", "pb0", "--yes")
            try lab.inside("sh", "-c", "ip link delete pf0; ip link delete pf2")
        }

        @Test func itOutlivesTheDaemonAndAReboot() throws {
            let lab = try Lab.current
            try lab.bridge("create", "kept0", "--address", "10.78.0.1/24", "--mtu", "1400", "--stp")
            try lab.must("tap", "create", "kepttap0", "--bridge", "kept0")
            let before = try lab.bridge("show", "kept0")
            #expect(before.mtu == 1400 && before.stp && before.addresses == ["10.78.0.1/24"])
            try lab.crash()
            try lab.startDaemon()
            #expect(try lab.bridge("show", "kept0") == before)
            try lab.stopDaemon()
            try lab.inside("ip", "link", "delete", "kept0")
            try lab.inside("ip", "link", "delete", "kepttap0")
            try lab.startDaemon()
            // The MAC is the same, too.
            #expect(try lab.bridge("show", "kept0") == before)
            try lab.must("tap", "delete", "kepttap0", "--yes")
            try lab.must("bridge", "delete", "kept0", "--yes")
        }

        @Test func everySettingChanges() throws {
            let lab = try Lab.current
            try lab.bridge("create", "set0", "--address", "10.79.0.1/24")
            try lab.inside("ip", "address", "add", "10.79.9.1/24", "dev", "set0")
            let changed = try lab.bridge(
                "set", "set0", "--address", "10.79.1.1/24", "--mtu", "9000", "--stp", "--label", "a=b")
            // What somebody else added stays.
            #expect(changed.addresses.sorted() == ["10.79.1.1/24", "10.79.9.1/24"])
            #expect(changed.mtu == 9000 && changed.stp && changed.labels == ["a": "b"])
            let back = try lab.bridge("set", "set0", "--no-address", "--mtu", "none", "--no-stp")
            #expect(back.addresses == ["10.79.9.1/24"] && back.mtu == 1500 && !back.stp)
            try lab.must("bridge", "delete", "set0", "--yes")
        }

        @Test func thoseOfOthersAreNeverChanged() throws {
            let lab = try Lab.current
            let all = try decode([Bridge].self, lab.must("bridge", "list", "--format", "json").out)
            let libvirts = try #require(all.first { $0.name == "virbr0" })
            #expect(libvirts.origin == .libvirt && libvirts.network == "default" && !libvirts.managed)
            #expect(libvirts.addresses == ["192.168.122.1/24"])
            let look = ["link show virbr0", "address show dev virbr0", "route show dev virbr0"]
            func seen() throws -> [String] { try look.map { try lab.inside("sh", "-c", "ip \($0)").out } }
            let before = try seen()
            for arguments in [["delete", "virbr0", "--yes", "--force"], ["set", "virbr0", "--stp"]] {
                let refused = try lab.run(["bridge"] + arguments)
                #expect(refused.status == 4 && refused.err.contains("(bridge.foreign)"), "\(refused)")
            }
            #expect(try seen() == before)
        }

        @Test func badInputIsRefused() throws {
            let lab = try Lab.current
            try lab.inside(
                "sh", "-c",
                "ip link add en0 type veth peer name en1; ip link set en0 master virbr0; "
                    + "ip tuntap add tun0 mode tun")
            let before = try lab.inside("ip", "-o", "address").out
            for (arguments, status) in [
                (["a-name-of-16-byte"], 64), (["lo"], 4), (["virbr0"], 4), (["b0", "--mtu", "68"], 64),
                (["b0", "--address", "10.0.0.0/24"], 64), (["b0", "--address", "10.0.0.1"], 64),
                (["b0", "--address", "192.168.122.9/16"], 4), (["b0", "--port", "nolink"], 3),
                (["b0", "--port", "lo"], 64), (["b0", "--port", "virbr0"], 64), (["b0", "--port", "en0"], 4),
                (["b0", "--port", "en1", "--port", "en1"], 64), (["b0", "--port", "tun0"], 64),
                (["en1"], 4), (["b0", "--confirm-timeout", "1s"], 64), (["b0", "--port", ".."], 64),
            ] as [([String], Int32)] {
                let outcome = try lab.run(["bridge", "create"] + arguments)
                #expect(outcome.status == status, "\(outcome)")
            }
            try lab.must("bridge", "create", "b0", "--dry-run")
            #expect(try lab.inside("ip", "-o", "address").out == before)
            try lab.inside("sh", "-c", "ip link delete en0; ip link delete tun0")
        }

        /// Not every kernel has them; where it has not, nothing is left of the attempt.
        @Test func vlansAreRefusedWhereTheKernelHasNone() throws {
            let lab = try Lab.current
            let attribute = "/sys/class/net/virbr0/bridge/vlan_filtering"
            let hasVLANs = try lab.inside("test", "-e", attribute).status == 0
            let made = try lab.vctl("bridge", "create", "vl0", "--vlan-aware")
            #expect(made.status == (hasVLANs ? 0 : 1), "\(made)")
            guard hasVLANs else {
                #expect(made.err.contains("no VLAN-aware bridges"), "\(made)")
                #expect(try lab.inside("ip", "link", "show", "vl0").status == 1)
                return #expect(try lab.vctl("bridge", "show", "vl0").status == 3)
            }
            #expect(try lab.bridge("show", "vl0").vlanAware)
            try lab.must("bridge", "delete", "vl0", "--yes")
        }
    }
}
