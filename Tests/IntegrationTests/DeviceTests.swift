// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Disks and NICs that come and go while a guest runs, and its sleep.
    @Suite(.hosted("devices"))
    struct Devices {
        @Test func disksComeAndGo() throws {
            let lab = try Lab.current
            try lab.create("disks", "--network", "none", "--wait-for", "agent", "--timeout", "4m")
            try lab.must("vm", "disk", "add", "disks", "64M")
            let added = try #require(try lab.vm("disks").disks.first { $0.target == "vdb" })
            let path = try #require(added.path)
            #expect(
                added.role == "data" && FileManager.default.fileExists(atPath: "\(lab.pool)/\(name(path))"))
            try eventually("the guest sees it") { try sectors(lab, "vdb") == (64 << 20) / 512 }
            try lab.must("vm", "disk", "resize", "disks", "vdb", "96M")
            try eventually("the guest sees it grow") { try sectors(lab, "vdb") == (96 << 20) / 512 }
            let smaller = try lab.vctl("vm", "disk", "resize", "disks", "vdb", "10M")
            #expect(smaller.status == 64 && smaller.err.contains("at least"), "\(smaller)")
            let root = try lab.vctl("vm", "disk", "remove", "disks", "vda", "--yes")
            #expect(root.status == 4 && root.err.contains("--force"), "\(root)")
            try lab.must("vm", "disk", "remove", "disks", "vdb", "--yes")
            #expect(!FileManager.default.fileExists(atPath: "\(lab.pool)/\(name(path))"))
            #expect(try sectors(lab, "vdb") == nil)
            #expect(try lab.vctl("vm", "disk", "remove", "disks", "vdb", "--yes").status == 3)
            try lab.remove("disks")
        }

        private func name(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }

        private func sectors(_ lab: Lab, _ disk: String) throws -> Int? {
            let outcome = try lab.vctl("exec", "disks", "cat", "/sys/block/\(disk)/size")
            return Int(outcome.out.trimmingCharacters(in: .whitespacesAndNewlines))
        }

        @Test func aDriveTakesAnISO() throws {
            let lab = try Lab.current
            let iso = "\(lab.files)/disc.iso"
            try Shell.must(["xorriso", "-as", "mkisofs", "-quiet", "-o", iso, "/etc/hostname"])
            try Shell.must(["cp", iso, "\(lab.pool)/disc.iso"])
            try lab.create(
                "drive", "--cdrom", "/var/lib/libvirt/images/disc.iso", "--no-start", "--disk", "10M")
            let drive = try #require(try lab.vm("drive").disks.first { $0.device == "cdrom" })
            try lab.must("vm", "disk", "eject", "drive", drive.target)
            #expect(try lab.vm("drive").disks.first { $0.device == "cdrom" }?.path == nil)
            try lab.must("vm", "disk", "insert", "drive", drive.target, "/var/lib/libvirt/images/disc.iso")
            #expect(
                try lab.vm("drive").disks.first { $0.device == "cdrom" }?.path
                    == "/var/lib/libvirt/images/disc.iso")
            let none = try lab.vctl("vm", "disk", "eject", "drive", "vda")
            #expect(none.status == 4 && none.err.contains("no drive"), "\(none)")
            try lab.remove("drive")
        }

        @Test func nicsComeAndGo() throws {
            let lab = try Lab.current
            try lab.create("nics", "--network", "none", "--wait-for", "agent", "--timeout", "4m")
            try lab.must("vm", "nic", "add", "nics", "default")
            let mac = try #require(try lab.vm("nics").nics.first?.mac)
            try eventually("the guest sees it") { try macs(lab).contains(mac) }
            try lab.must("vm", "nic", "set", "nics", mac, "--no-link")
            #expect(try lab.virsh("domif-getlink", "nics", mac).out.contains("down"))
            try lab.must("vm", "nic", "set", "nics", mac, "--link")
            #expect(try lab.virsh("domif-getlink", "nics", mac).out.contains("up"))
            #expect(try lab.vctl("vm", "nic", "add", "nics", "nowhere").status == 3)
            #expect(try lab.vctl("vm", "nic", "remove", "nics", "52:54:00:ff:ff:ff").status == 3)
            try lab.must("vm", "nic", "remove", "nics", mac)
            #expect(try lab.vm("nics").nics.isEmpty)
            #expect(try !macs(lab).contains(mac))
            try lab.remove("nics")
        }

        private func macs(_ lab: Lab) throws -> String {
            try lab.must("exec", "nics", "sh", "-c", "cat /sys/class/net/*/address").out
        }

        @Test func aGuestSleepsOnTheDisk() throws {
            let lab = try Lab.current
            try lab.create("sleepy", "--network", "none", "--wait-for", "agent", "--timeout", "4m")
            try lab.must("exec", "sleepy", "sh", "-c", "echo awake >/run/mark")
            // A guest that slept for a week knows as little of the time.
            try lab.must("exec", "sleepy", "--", "date", "-s", "@1000000000")
            #expect(try abs(clock(lab)) > 1_000_000)
            try lab.must("vm", "suspend", "sleepy")
            #expect(try lab.vm("sleepy").state == .suspended)
            let cloned = try lab.vctl("vm", "clone", "sleepy", "other")
            #expect(cloned.status == 4 && cloned.err.contains("suspended"), "\(cloned)")
            try lab.must("vm", "restore", "sleepy")
            #expect(try lab.must("exec", "sleepy", "cat", "/run/mark").out == "awake\n", "it went on")
            #expect(try abs(clock(lab)) < 600, "its clock was set")
            try lab.must("vm", "suspend", "sleepy")
            try lab.must("vm", "start", "sleepy", "--discard-state")
            try eventually("it boots anew") {
                try lab.vctl("exec", "sleepy", "cat", "/run/mark").status == 1
            }
            try lab.remove("sleepy")
        }

        /// How far the guest's clock is from this machine's, in seconds.
        private func clock(_ lab: Lab) throws -> Int {
            let guest = try #require(Int(try lab.must("exec", "sleepy", "--", "date", "+%s").text))
            return guest - Int(Date().timeIntervalSince1970)
        }

        @Test func aRunningVMIsRenamedLater() throws {
            let lab = try Lab.current
            let vm = try lab.create("before", "--network", "none")
            let said = try lab.must("vm", "rename", "before", "after")
            #expect(said.err.contains("name=after"), "\(said)")
            #expect(try lab.vm("before").pending?["name"] == "after")
            try lab.must("vm", "stop", "before", "--force")
            try eventually("it has its name") {
                try lab.vms().contains { $0.name == "after" && $0.id == vm.id }
            }
            try lab.create("taken", "--no-start", "--network", "none")
            #expect(try lab.vctl("vm", "rename", "after", "taken").status == 4)
            try lab.remove("after", "taken")
        }
    }
}
