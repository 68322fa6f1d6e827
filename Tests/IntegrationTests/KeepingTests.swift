// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// VMs that crash, and VMs that start with the host.
    @Suite(.hosted("keeping"))
    struct Keeping {
        /// Few restarts and no long pauses, so that a test can see the end of them.
        private func configure(_ lab: Lab) throws {
            let text = "[guests]\ncrash_restarts = 2\ncrash_pause_seconds = 1\n"
            try text.write(toFile: "\(lab.root)/vctl-etc/vctld.toml", atomically: true, encoding: .utf8)
            try lab.stopDaemon()
            try lab.startDaemon()
        }

        private func killQEMU(_ lab: Lab, _ name: String) throws {
            let pid = try lab.inside("cat", "/run/libvirt/qemu/\(name).pid").out
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try #require(Int(pid) != nil)
            _ = try lab.inside("kill", "-9", pid)
        }

        @Test func aKilledQEMUIsStartedAgainAndNotWithoutEnd() throws {
            let lab = try Lab.current
            try configure(lab)
            try lab.create("frail", "--on-crash", "restart", "--network", "none")
            let first = try lab.lastEvent()
            for _ in 0..<2 {
                let before = try lab.lastEvent()
                try killQEMU(lab, "frail")
                try eventually("it runs again") {
                    let told = try lab.events(since: before).contains { $0.type == "vm.restarting" }
                    let vm = try lab.vm("frail")
                    return told && vm.state == .running && vm.stateReason == .restarted
                }
            }
            try killQEMU(lab, "frail")
            try eventually("it is given up") { try lab.vm("frail").stateReason == .crashLoop }
            #expect(try lab.vm("frail").state == .stopped)
            let types = try lab.events(since: first).map(\.type)
            #expect(types.count { $0 == "vm.crashed" } == 3 && types.count { $0 == "vm.restarting" } == 2)
            #expect(types.contains("vm.crashLoop"))
            #expect(try lab.must("warning", "list").out.contains("vm.crashLoop"))

            try lab.must("vm", "start", "frail")
            #expect(try !lab.must("warning", "list").out.contains("vm.crashLoop"))
            try lab.must("vm", "stop", "frail", "--force")
            Thread.sleep(forTimeInterval: 3)
            #expect(try lab.vm("frail").state == .stopped)
            try lab.remove("frail")
        }

        @Test func aDaemonThatWasAwayStartsWhatCrashed() throws {
            let lab = try Lab.current
            try lab.create("alone", "--on-crash", "restart", "--network", "none")
            try lab.create("left", "--on-crash", "stop", "--network", "none")
            try lab.crash()
            for name in ["alone", "left"] { try killQEMU(lab, name) }
            try lab.startDaemon()
            try eventually("it runs again") { try lab.vm("alone").state == .running }
            #expect(try lab.vm("left").state == .stopped)
            #expect(try lab.vm("left").stateReason == .crashed)
            try lab.remove("alone", "left")
        }

        /// A kernel says by this port that it has panicked; the small guest's has no driver for it, and so
        /// QEMU's monitor speaks in its place.
        @Test func aPanicIsACrash() throws {
            let lab = try Lab.current
            try lab.create("nervous", "--on-crash", "stop", "--network", "none")
            try lab.virsh("qemu-monitor-command", "nervous", "--hmp", "o /b 0x505 1")
            try eventually("it is off") { try lab.vm("nervous").state == .stopped }
            #expect(try lab.vm("nervous").stateReason == .crashed)
            try lab.remove("nervous")
        }

        /// What the service vctl-guests does when the host goes down.
        @Test func whatOthersMadeIsNotStopped() throws {
            let lab = try Lab.current
            try lab.create("ours", "--network", "none")
            let xml = try lab.write(
                "theirs.xml",
                """
                <domain type='qemu'><name>theirs</name><memory unit='MiB'>64</memory>
                <os><type arch='x86_64' machine='q35'>hvm</type></os></domain>
                """)
            try lab.virsh("create", xml)
            try eventually("it is seen") { try lab.vms().contains { $0.name == "theirs" } }
            try lab.must("vm", "stop", "--managed", "--in-order", "--grace", "1s", "--force")
            #expect(try lab.vm("ours").state == .stopped)
            #expect(try lab.virsh("domstate", "theirs").text == "running")
            try lab.virsh("destroy", "theirs")
            try lab.remove("ours")
        }

        /// Another id of the boot is put over the kernel's.
        private func boot(_ lab: Lab, _ id: String) throws {
            let file = "\(lab.files)/boot-\(id)"
            try "\(id)\n".write(toFile: file, atomically: true, encoding: .utf8)
            try lab.stopDaemon()
            _ = try lab.inside("mount", "--bind", file, "/proc/sys/kernel/random/boot_id")
            try lab.startDaemon()
        }

        @Test func aBootStartsThemInTheirOrder() throws {
            let lab = try Lab.current
            try lab.create("late", "--autostart-order", "20", "--no-start", "--network", "none")
            try lab.create(
                "early", "--autostart-order", "10", "--autostart-delay", "3s", "--no-start", "--network",
                "none")
            try lab.create("never", "--no-start", "--network", "none")
            #expect(try !lab.inside("virsh", "dominfo", "late").out.contains("Autostart:      enable"))
            let before = try lab.lastEvent()
            try boot(lab, "second")
            try eventually("the first runs") { try lab.vm("early").state == .running }
            try eventually("the last runs") { try lab.vm("late").state == .running }
            let started = try lab.events(since: before).filter { $0.type == "vm.started" }
            #expect(started.compactMap(\.subject?.name) == ["early", "late"])
            let pause = started[1].time.milliseconds - started[0].time.milliseconds
            #expect(pause >= 3000, "the delay is a wait")
            #expect(try lab.vm("never").state == .stopped)

            try lab.must("vm", "stop", "late", "--force")
            try lab.stopDaemon()
            try lab.startDaemon()
            Thread.sleep(forTimeInterval: 3)
            #expect(try lab.vm("late").state == .stopped, "a start of the daemon is no boot")
            try lab.remove("early", "late", "never")
        }
    }
}
