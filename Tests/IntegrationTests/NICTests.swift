// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// What is said of a NIC, as its guest and its neighbours see it.
    @Suite(.hosted("nics"))
    struct NICs {
        @Test func aGuestSeesItsCableAndItsMTU() throws {
            let lab = try Lab.current
            let made = try lab.create(
                "seer", "--network", "default,mtu=1400", "--wait-for", "agent", "--timeout", "4m")
            let nic = try #require(made.nics.first)
            #expect(nic.mtu == 1400 && nic.link == true)
            #expect(try link(lab, "seer", "mtu") == "1400")
            try lab.must("vm", "nic", "set", "seer", nic.mac, "--no-link")
            try eventually("the guest sees no cable") { try link(lab, "seer", "carrier") == "0" }
            #expect(try lab.vm("seer").nics.first?.link == false)
            try lab.must("vm", "nic", "set", "seer", nic.mac, "--link")
            try eventually("the guest sees the cable") { try link(lab, "seer", "carrier") == "1" }

            let planned = try lab.must(
                "vm", "nic", "set", "seer", nic.mac, "--model", "e1000e", "--dry-run", "--format", "json")
            let preview = try decode(Preview.self, planned.out)
            #expect(preview.xmlDiff?.contains("+      <model type='e1000e'/>") == true, "\(planned)")
            #expect(try lab.vm("seer").pending == nil)

            try lab.must("vm", "nic", "set", "seer", nic.mac, "--model", "e1000e", "--mtu", "1300")
            #expect(try lab.vm("seer").pending?["nics.\(nic.mac)"] == "default e1000e mtu=1300")
            #expect(try link(lab, "seer", "mtu") == "1400", "what runs stays as it is")
            // With something pending, what can be at once still is.
            try lab.must("vm", "nic", "set", "seer", nic.mac, "--no-link")
            try eventually("the guest sees no cable") { try link(lab, "seer", "carrier") == "0" }
            try lab.must("vm", "nic", "set", "seer", nic.mac, "--model", "virtio", "--link")
            try lab.must("vm", "restart", "seer", "--force")
            try lab.must("vm", "wait", "seer", "--for", "agent", "--timeout", "4m")
            #expect(try link(lab, "seer", "mtu") == "1300")
            #expect(try lab.vm("seer").pending == nil)
            try lab.must("vm", "nic", "set", "seer", nic.mac, "--mtu", "none")
            #expect(try lab.vm("seer").pending?["nics.\(nic.mac)"] == "default virtio")
            try lab.remove("seer")
        }

        private func link(_ lab: Lab, _ vm: String, _ file: String, _ nic: String = "eth0") throws -> String {
            try lab.must("exec", vm, "cat", "/sys/class/net/\(nic)/\(file)").text
        }

        @Test func isolatedGuestsReachTheHostAndNotEachOther() throws {
            let lab = try Lab.current
            let names = ["ina", "inb"]
            for name in names {
                try lab.create(
                    name, "--network", "default,isolated=yes", "--wait-for", "ip", "--timeout", "4m")
                try lab.must("vm", "wait", name, "--for", "agent", "--timeout", "4m")
            }
            let other = try lab.vm("inb")
            let address = try #require(other.nics.first?.addresses.first?.address)
            let mac = try #require(other.nics.first?.mac)
            #expect(try reaches(lab, "ina", "192.168.122.1"))
            #expect(try !reaches(lab, "ina", address))
            try lab.must("vm", "nic", "set", "inb", mac, "--no-isolated")
            #expect(try lab.vm("inb").nics.first?.isolated == nil && lab.vm("inb").pending == nil)
            #expect(try reaches(lab, "ina", address), "one of them is no longer isolated")
            try lab.must("vm", "nic", "set", "inb", mac, "--isolated")
            #expect(try !reaches(lab, "ina", address))
            try lab.remove("ina", "inb")
        }

        private func reaches(_ lab: Lab, _ vm: String, _ address: String) throws -> Bool {
            try lab.vctl("exec", vm, "--", "ping", "-c", "3", "-W", "2", address).status == 0
        }

        @Test func aNICMovesWhileSomethingOfItWaits() throws {
            let lab = try Lab.current
            let definition = try lab.write(
                "other.xml",
                """
                <network><name>other</name><bridge name='virbr7' stp='off' delay='0'/>
                <ip address='192.168.77.1' netmask='255.255.255.0'/></network>
                """)
            try lab.virsh("net-create", definition)
            let made = try lab.create("mover", "--network", "none", "--wait-for", "agent", "--timeout", "4m")
            try lab.must("vm", "nic", "add", "mover", "default,mtu=1350,boot=1")
            let nic = try #require(try lab.vm("mover").nics.first)
            try eventually("the guest sees it") {
                try lab.vctl("exec", "mover", "cat", "/sys/class/net/eth0/mtu").text == "1350"
            }
            #expect(try lab.virsh("dumpxml", "mover", "--inactive").out.contains("<boot order='2'/>"))
            #expect(made.disks.first?.target == "vda")
            try lab.must("vm", "nic", "set", "mover", nic.mac, "--mtu", "1200", "--network", "other")
            #expect(try bridge(lab, nic) == "virbr7")
            #expect(try lab.vm("mover").pending?["nics.\(nic.mac)"] == "other virtio mtu=1200 boot=1")
            try lab.must("vm", "nic", "set", "mover", nic.mac, "--bridge", "virbr0")
            #expect(try bridge(lab, nic) == "virbr0")
            try lab.must("vm", "nic", "remove", "mover", nic.mac)
            #expect(try lab.vm("mover").nics.isEmpty)
            #expect(try lab.inside("ip", "link", "show", try #require(nic.tap)).status != 0)
            try lab.remove("mover")
        }

        /// The bridge that a TAP is a port of, by the kernel.
        private func bridge(_ lab: Lab, _ nic: VM.NIC) throws -> String {
            let tap = try #require(nic.tap)
            let path = try lab.inside("readlink", "/sys/class/net/\(tap)/master").text
            return path.split(separator: "/").last.map(String.init) ?? ""
        }

        @Test func whatTheHostCannotDoIsRefusedBeforehand() throws {
            let lab = try Lab.current
            try lab.create("plain", "--no-start", "--network", "default")
            let mac = try #require(try lab.vm("plain").nics.first?.mac)
            let before = try lab.must("vm", "xml", "plain", "--inactive").out
            for (flags, word) in [
                (["--vlan", "20"], "cannot tell VLANs apart"), (["--vlan", "0"], "1 to 4094"),
                (["--queues", "2"], "at most as many as CPUs"), (["--queues", "257"], "256"),
                (["--mtu", "67"], "68 to 65535"), (["--bridge", "nowhere0"], "no bridge"),
                (["--model", "ne2k"], "virtio"), (["--inbound", "10MB"], "bits per second"),
            ] {
                let outcome = try lab.run(["vm", "nic", "set", "plain", mac] + flags)
                #expect(outcome.status == 64 && outcome.err.contains(word), "\(outcome)")
            }
            let create = try lab.vctl(
                "vm", "create", "other", "--image", "tiny", "--network", "default,vlan=5")
            #expect(create.status == 64 && create.err.contains("networks[0].vlan"), "\(create)")
            #expect(try lab.must("vm", "xml", "plain", "--inactive").out == before)

            let shaper = try lab.inside(
                "unshare", "--net", "--", "tc", "qdisc", "add", "dev", "lo", "root", "sfq")
            let limited = try lab.vctl("vm", "nic", "set", "plain", mac, "--inbound", "10M,20M,64K")
            if shaper.status == 0 {
                #expect(limited.status == 0, "\(limited)")
                #expect(try lab.vm("plain").nics.first?.inbound?.averageBitsPerSecond.number == 10_000_000)
            } else {
                #expect(limited.status == 64 && limited.err.contains("kernel cannot limit"), "\(limited)")
            }
            try lab.remove("plain")
        }
    }
}
