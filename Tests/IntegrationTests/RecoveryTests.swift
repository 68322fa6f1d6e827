// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// The inventory is lost while VMs run.
    @Suite(.hosted("recovery"))
    struct LostInventory {
        @Test func theNextStartBringsBackWhatHasMarks() throws {
            let lab = try Lab.current
            let kept = try lab.create(
                "linked", "--linked", "--network", "none", "--label", "env=prod", "--label", "tier=web",
                "--protect")
            let full = try lab.create("full", "--full", "--no-start", "--label", "env=dev")
            let image = try lab.image("tiny")
            let last = try lab.lastEvent()
            try lab.stopDaemon()
            #expect(try lab.domains().contains("linked"))
            for file in lab.list(lab.state) where file.hasPrefix("inventory.sqlite") {
                try FileManager.default.removeItem(atPath: "\(lab.state)/\(file)")
            }
            try lab.startDaemon()
            try eventually("the VMs are back") { try lab.vms().count == 2 }
            try compare(lab.vm("linked"), kept)
            try compare(lab.vm("full"), full)
            #expect(try lab.image("tiny").id == image.id)
            #expect(try lab.image("tiny").checksum == image.checksum)
            try saysWhatIsLost(lab, last)
            try guardsStillHold(lab)
        }

        private func compare(_ now: VM, _ before: VM) throws {
            #expect(now.id == before.id)
            #expect(now.labels == before.labels)
            #expect(now.managed && now.protected == before.protected)
            #expect(now.image == before.image)
            #expect(now.createdAt == before.createdAt)
            #expect(now.state == before.state)
            #expect(now.disks == before.disks)
        }

        private func saysWhatIsLost(_ lab: Lab, _ last: Int64) throws {
            let warnings = try lab.must("warning", "list", "--format", "json").out
            let lost = try decode([VctlAPI.Warning].self, warnings).first { $0.code == "inventory.recovered" }
            #expect(lost?.message.contains("lost") == true)
            let events = try lab.events(since: last)
            #expect(events.contains { $0.type == "gap" })
            #expect(events.filter { $0.type != "gap" }.allSatisfy { $0.sequence > last })
        }

        private func guardsStillHold(_ lab: Lab) throws {
            let image = try lab.vctl("image", "delete", "tiny", "--yes")
            #expect(image.status == 4 && image.err.contains("linked"), "\(image)")
            #expect(try lab.vctl("vm", "delete", "linked", "--yes").status == 4)
            try lab.remove("linked", "full")
            #expect(lab.list(lab.pool).filter { $0.hasSuffix(".qcow2") && $0 != "tiny.qcow2" } == [])
            #expect(lab.list("\(lab.state)/seeds") == [])
        }
    }
}
