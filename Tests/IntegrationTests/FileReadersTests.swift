// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Files that others need stay, whoever they are and whatever the daemon has heard of them.
    @Suite(.hosted("readers"))
    struct FilesOfOthers {
        @Test func anImageBehindAForeignDisk() throws {
            let lab = try Lab.current
            let image = try #require(lab.list("\(lab.state)/images").first { $0.hasSuffix(".qcow2") })
            try overlay(lab, "/var/lib/libvirt/images/theirs.qcow2", on: "/var/lib/vctld/images/\(image)")
            try refused(lab, ["image", "delete", "tiny", "--yes"], "theirs.qcow2")
            try refused(lab, ["image", "delete", "tiny", "--yes", "--dry-run"], "theirs.qcow2")
            try define(lab, "theirs", disk: "/var/lib/libvirt/images/theirs.qcow2")
            try refused(lab, ["image", "delete", "tiny", "--yes"], "VM theirs")
            try lab.virsh("undefine", "theirs")
            try FileManager.default.removeItem(atPath: "\(lab.pool)/theirs.qcow2")
        }

        @Test func aKeptDiskKeepsItsImageAndComesBack() throws {
            let lab = try Lab.current
            let made = try lab.create("kept", "--no-start")
            let disk = try #require(made.disks.first { $0.role == "root" }?.path)
            try lab.must("vm", "delete", "kept", "--keep-disks", "--yes")
            try refused(lab, ["image", "delete", "tiny", "--yes"], disk)
            let back = try lab.create("back", "--import", disk, "--wait-for", "ip", "--timeout", "4m")
            #expect(back.image?.name == "tiny" && back.image?.linked == true)
            try refused(lab, ["image", "delete", "tiny", "--yes"], "back")
            try lab.must("vm", "delete", "back", "--yes")
            #expect(lab.list(lab.pool).contains { disk.hasSuffix($0) }, "it was there before the VM")
            try FileManager.default.removeItem(atPath: "\(lab.pool)/\((disk as NSString).lastPathComponent)")
        }

        @Test func aDiskBehindAForeignDisk() throws {
            let lab = try Lab.current
            let made = try lab.create("base", "--no-start")
            let disk = try #require(made.disks.first { $0.role == "root" }?.path)
            try overlay(lab, "/var/lib/libvirt/images/over.qcow2", on: disk)
            try define(lab, "over", disk: "/var/lib/libvirt/images/over.qcow2")
            try refused(lab, ["vm", "delete", "base", "--yes"], "VM over")
            try refused(lab, ["vm", "create", "third", "--import", disk, "--no-start"], "VM base")
            try lab.must("vm", "delete", "base", "--keep-disks", "--yes")
            try refused(lab, ["vm", "create", "third", "--import", disk, "--no-start"], "VM over")
            try lab.virsh("undefine", "over")
            for name in ["over.qcow2", (disk as NSString).lastPathComponent] {
                try FileManager.default.removeItem(atPath: "\(lab.pool)/\(name)")
            }
        }

        @Test func whatWasRenamedOrSnapshotOutsideStillGoes() throws {
            let lab = try Lab.current
            let made = try lab.create("before", "--no-start")
            let disk = try #require(made.disks.first { $0.role == "root" }?.path)
            try lab.virsh("domrename", "before", "after")
            try lab.virsh("snapshot-create-as", "after", "s1", "--disk-only")
            try eventually("the new name is seen") { try lab.vms().contains { $0.name == "after" } }
            let files = lab.list(lab.pool).filter { disk.contains($0.split(separator: ".")[0]) }
            #expect(files.count == 2, "\(files)")
            try lab.must("vm", "delete", "after", "--yes")
            #expect(lab.list(lab.pool).filter(files.contains) == [])
        }

        @Test func withoutLibvirtNobodyKnows() throws {
            let lab = try Lab.current
            try lab.create("linked", "--no-start")
            try lab.stopDaemon()
            try lab.vhost("stop-libvirtd", lab.name)
            for file in lab.list(lab.state) where file.hasPrefix("inventory.sqlite") {
                try FileManager.default.removeItem(atPath: "\(lab.state)/\(file)")
            }
            try lab.startDaemon(ready: false)
            try eventually("it serves") { try lab.vctl("version").status == 0 }
            let waiting = try lab.vctl("waitready", "--timeout", "3s")
            #expect(waiting.status == 7 && waiting.err.contains("libvirt has not been read"), "\(waiting)")
            for command in [
                ["image", "delete", "tiny", "--yes"], ["vm", "delete", "linked", "--yes"],
                ["vm", "start", "linked"], ["vm", "show", "linked"],
            ] {
                let outcome = try lab.run(command, seconds: 30)
                #expect(outcome.status == 6, "\(outcome)")
            }
            try lab.vhost("start-libvirtd", lab.name)
            try lab.must("waitready", "--timeout", "60s")
            try refused(lab, ["image", "delete", "tiny", "--yes"], "linked")
            try lab.remove("linked")
        }

        private func refused(_ lab: Lab, _ command: [String], _ reader: String) throws {
            let outcome = try lab.run(command, seconds: 60)
            #expect(outcome.status == 4 && outcome.err.contains(reader), "\(outcome)")
        }

        private func overlay(_ lab: Lab, _ path: String, on backing: String) throws {
            let made = try lab.inside(
                "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backing, path)
            guard made.status == 0 else { throw ShellFailure(outcome: made, reason: "no overlay") }
        }

        private func define(_ lab: Lab, _ name: String, disk: String) throws {
            let devices = """
                <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
                <source file='\(disk)'/><target dev='vda'/></disk></devices>
                """
            let xml = Foreign.domain(name).replacingOccurrences(of: "<devices/>", with: devices)
            try lab.virsh("define", lab.write("\(name).xml", xml))
        }
    }

    /// Two at the same moment.
    @Suite(.hosted("rivals"))
    struct Rivals {
        @Test func oneDiskHasOneVM() throws {
            let lab = try Lab.current
            let path = try lab.publish("\(Lab.images)/tiny.qcow2")
            try race(lab, ["--import", path], over: path, code: "volume.inUse")
        }

        @Test func oneAddressHasOneNIC() throws {
            let lab = try Lab.current
            let mac = "52:54:00:11:22:33"
            let nic = ["--image", "tiny", "--network", "default,mac=\(mac)"]
            try race(lab, nic, over: mac, code: "request.invalid")
        }

        /// Of two that want the same one gets it, and the other is told who has it: the VM, or the operation
        /// that makes it, where that is not done.
        private func race(_ lab: Lab, _ arguments: [String], over: String, code: String) throws {
            for round in 0..<3 {
                let names = ["one\(round)", "two\(round)"]
                let children = try names.map { name in
                    try Child(
                        ["\(Lab.build)/vctl", "vm", "create", name, "--memory", "64M", "--no-start"]
                            + arguments, environment: ["VCTL_SOCKET": lab.socket])
                }
                let ends = try children.map { child in
                    child.outcome(status: try #require(child.wait(seconds: 120)))
                }
                #expect(ends.count { $0.status == 0 } == 1, "\(ends)")
                let loser = try #require(ends.first { $0.status != 0 })
                let isMaking = loser.err.contains("is working on \(over) (vm.busy)")
                #expect(loser.err.contains(over) && (isMaking || loser.err.contains("(\(code))")), "\(loser)")
                try lab.must("vm", "delete", "--yes", "--if-exists", "--keep-disks", names[0], names[1])
            }
        }

        @Test func whatAPersonSetIsNotLibvirts() throws {
            let lab = try Lab.current
            try lab.create("mine", "--no-start", "--network", "none")
            let before = try lab.lastEvent()
            try lab.must("vm", "set", "mine", "--label", "a=b", "--autostart")
            try lab.virsh("desc", "mine", "theirs")
            try eventually("both are told") {
                try lab.events(since: before).contains { $0.data["description"] == "theirs" }
            }
            let events = try lab.events(since: before)
            #expect(events.filter { $0.data["labels"] != nil }.map(\.origin) == [.vctl])
            #expect(events.filter { $0.data["description"] != nil }.map(\.origin) == [.libvirt])
            try lab.remove("mine")
        }

        @Test func whatIsNotThereIsNamedAtOnce() throws {
            let lab = try Lab.current
            for (arguments, word) in [
                (["--machine", "foo"], "machine: \"foo\""), (["--cpu-model", "foo"], "cpuModel: \"foo\""),
                (["--cpu-model", "host"], "by emulation"),
            ] {
                let outcome = try lab.run(
                    ["vm", "create", "odd", "--image", "tiny", "--no-start"] + arguments)
                #expect(outcome.status == 64 && outcome.err.contains(word), "\(outcome)")
            }
            try Shell.must(["mkfifo", "\(lab.files)/fifo"])
            let fifo = try lab.vctl("image", "import", "bad", "\(lab.files)/fifo", seconds: 20)
            #expect(fifo.status == 64 && fifo.err.contains("no regular file"), "\(fifo)")
            try lab.create("off", "--no-start", "--cpu-model", "qemu64", "--network", "none")
            let console = try lab.vctl("vm", "console", "off", seconds: 20)
            #expect(console.status == 4 && console.err.contains("vm start off"), "\(console)")
            try lab.remove("off")
        }
    }
}
