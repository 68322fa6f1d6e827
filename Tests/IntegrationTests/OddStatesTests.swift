// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// What others do to a VM while something is done with it, and what nobody else may read.
    @Suite(.hosted("odd"))
    struct OddStates {
        @Test func whatVanishesWhileItIsStoppedIsNotLeftBehind() throws {
            let lab = try Lab.current
            let xml = Foreign.domain("fleeting")
            try lab.virsh("create", lab.write("fleeting.xml", xml))
            try eventually("it is seen") { try lab.vms().contains { $0.name == "fleeting" } }
            try lab.must("vm", "stop", "fleeting", "--force")
            try eventually("it is forgotten") { try !lab.vms().contains { $0.name == "fleeting" } }

            try lab.create("taken", "--network", "none")
            let stop = try Child(
                ["\(Lab.build)/vctl", "vm", "stop", "taken", "--grace", "60s"],
                environment: ["VCTL_SOCKET": lab.socket])
            try eventually("the stop is under way") { try lab.vm("taken").operation != nil }
            try lab.virsh("destroy", "taken")
            try lab.virsh("undefine", "taken")
            _ = stop.wait(seconds: 90)
            try eventually("it is missing") { try lab.vm("taken").state == .missing }
            try lab.remove("taken")
        }

        @Test func aPausedVMThatDoesNotStopIsPausedAgain() throws {
            let lab = try Lab.current
            // A kernel without an init that listens: nobody hears the power button.
            let kernel = try lab.publish("\(Lab.images)/vmlinuz")
            try lab.create(
                "deaf", "--kernel", kernel, "--cmdline", "console=ttyS0 panic=0", "--network", "none")
            try lab.must("vm", "pause", "deaf")
            let stop = try lab.vctl("vm", "stop", "deaf", "--grace", "2s")
            #expect(stop.status == 1 && stop.err.contains("paused, as before"), "\(stop)")
            #expect(try lab.vm("deaf").state == .paused)
            try lab.remove("deaf")
        }

        @Test func pagesHoldNamesakesToo() throws {
            let lab = try Lab.current
            for _ in 0..<2 {
                try lab.create("same", "--no-start", "--network", "none")
                try lab.virsh("undefine", "same")
                try eventually("it is missing") { try lab.vms().allSatisfy { $0.state == .missing } }
            }
            var seen: [ObjectID] = []
            var after = ""
            while true {
                let page: [VM] = try lab.client().send(
                    Request(method: "GET", target: "/v1/vms?limit=1\(after)")
                ).decoded()
                guard let vm = page.first else { break }
                seen.append(vm.id)
                after = "&after=same%2F\(vm.id)"
            }
            #expect(seen.count == 2 && Set(seen).count == 2)
            for id in seen { try lab.remove("\(id)") }
        }

        @Test func whatIsOursIsClosedToOthers() throws {
            let lab = try Lab.current
            try lab.create("closed", "--disk", "96M", "--disk", "8M,format=raw", "--full", "--no-start")
            let disks = lab.list(lab.pool).filter { $0.hasPrefix("closed-") }.map { "\(lab.pool)/\($0)" }
            let inventory = ["", "-wal", "-shm"].map { "\(lab.state)/inventory.sqlite\($0)" }
            for file in disks + inventory {
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600, "\(file)")
            }
            #expect(disks.count == 2)
            try lab.remove("closed")
        }

        @Test func allocatedIsAllocatedToTheEnd() throws {
            let lab = try Lab.current
            let made = try lab.create(
                "thick", "--full", "--disk", "160M,format=raw,preallocation=falloc", "--no-start")
            let path = try #require(made.disks.first { $0.role == "root" }?.path)
            var status = stat()
            #expect(stat("\(lab.pool)/\((path as NSString).lastPathComponent)", &status) == 0)
            #expect(status.st_blocks * 512 >= 160 << 20)
            try lab.remove("thick")
        }

        @Test func theNewestEventsComeLast() throws {
            let lab = try Lab.current
            try lab.create("told", "--no-start", "--network", "none")
            let last = try lab.lastEvent()
            let newest = try decode(
                [Event].self, lab.must("event", "list", "--limit", "2", "--format", "json").out)
            #expect(newest.map(\.sequence) == [last - 1, last])
            try lab.remove("told")
        }

        @Test func aWaitSaysThatLibvirtIsAway() throws {
            let lab = try Lab.current
            try lab.create("awaited", "--no-start", "--network", "none")
            try lab.vhost("stop-libvirtd", lab.name)
            defer { _ = try? lab.vhost("start-libvirtd", lab.name) }
            try eventually("the daemon noticed") { try lab.vctl("vm", "list").err.contains("ago") }
            let wait = try lab.vctl("vm", "wait", "awaited", "--for", "ip", "--timeout", "2s")
            #expect(wait.status == 7 && wait.err.contains("libvirt cannot be reached"), "\(wait)")
            try lab.vhost("start-libvirtd", lab.name)
            try eventually("it is back") { try !lab.vctl("vm", "list").err.contains("ago") }
            try lab.remove("awaited")
        }
    }
}
