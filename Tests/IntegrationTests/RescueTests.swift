// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// A VM whose own disk does not boot.
    @Suite(.hosted("rescue"))
    struct Rescue {
        private func make(_ lab: Lab, _ name: String) throws {
            if try !lab.must("image", "list", "--format", "name").lines.contains("blank") {
                let blank = "\(lab.files)/blank.qcow2"
                try Shell.must(["qemu-img", "create", "-q", "-f", "qcow2", blank, "96M"])
                try lab.must("image", "import", "blank", blank)
            }
            try lab.create(name, "--image", "blank", "--network", "none", "--no-start")
        }

        private func disks(_ lab: Lab, _ name: String) throws -> String {
            try lab.virsh("domblklist", name).out
        }

        @Test func itBootsFromAnImageOnce() throws {
            let lab = try Lab.current
            try make(lab, "sick")
            let saved = try lab.virsh("dumpxml", "--inactive", "sick").out
            let own = try disks(lab, "sick")
            try lab.must("vm", "start", "sick", "--rescue-image", "tiny")
            let vm = try lab.vm("sick")
            #expect(vm.state == .running && vm.stateReason == .rescue && vm.rescue == "tiny")
            try lab.awaitConsole("sick", "GUEST-UP")
            #expect(try lab.virsh("dumpxml", "--inactive", "sick").out == saved)
            #expect(try lab.vctl("image", "delete", "tiny", "--yes").status == 4, "a disk reads from it")

            try lab.must("vm", "stop", "sick", "--force")
            #expect(lab.list("\(lab.state)/volumes").isEmpty)
            try lab.must("vm", "start", "sick")
            #expect(try lab.vm("sick").rescue == nil)
            #expect(try disks(lab, "sick") == own)
            try lab.remove("sick")
        }

        @Test func aDaemonThatDiesMeanwhileChangesNothing() throws {
            let lab = try Lab.current
            try make(lab, "forgotten")
            let own = try disks(lab, "forgotten")
            try lab.must("vm", "start", "forgotten", "--rescue-image", "tiny")
            try lab.crash()
            try lab.virsh("destroy", "forgotten")
            #expect(lab.list("\(lab.state)/volumes").count == 1)
            #expect(try disks(lab, "forgotten") == own)
            try lab.startDaemon()
            try eventually("its file is gone") { lab.list("\(lab.state)/volumes").isEmpty }
            try lab.must("vm", "start", "forgotten")
            #expect(try lab.vm("forgotten").rescue == nil)
            try lab.remove("forgotten")
        }

        @Test func anISOComesFirst() throws {
            let lab = try Lab.current
            try make(lab, "mute")
            let iso = try lab.publish("\(Lab.images)/vmlinuz")
            try lab.must("vm", "start", "mute", "--rescue", iso)
            #expect(try lab.vm("mute").rescue == iso)
            let drive = try lab.vm("mute").disks.first { $0.path == iso }
            #expect(drive?.device == "cdrom" && drive?.readOnly == true)
            let again = try lab.vctl("vm", "start", "mute", "--rescue", iso)
            #expect(again.status == 4 && again.err.contains("vctl vm stop mute"), "\(again)")
            let missing = try lab.vctl("vm", "start", "mute", "--rescue", iso, "--rescue-image", "tiny")
            #expect(missing.status == 64)
            try lab.remove("mute")
        }
    }
}
