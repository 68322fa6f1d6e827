// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// libvirtd that restarts, is away, and is used by others.
    @Suite(.hosted("libvirt"))
    struct LibvirtOnItsOwn {
        @Test func nothingIsLostOrDoubledWhileItRestarts() throws {
            let lab = try Lab.current
            // Index 0 restarts libvirtd; every other makes a VM, and the even ones delete it again.
            let codes = try atOnce(21) { index -> [Int32] in
                guard index > 0 else { return try restarts(lab, 10) }
                return try makeAndDelete(lab, "r\(index)", deletes: index % 2 == 0, starts: index <= 4)
            }
            #expect(codes.dropFirst().allSatisfy { $0 == [0] || $0 == [0, 0] }, "exit codes: \(codes)")
            try eventually("every operation ends") { try lab.operations().allSatisfy { $0.status.isFinal } }
            let names = (1...20).filter { $0 % 2 == 1 }.map { "r\($0)" }.sorted()
            try eventually("the list is what libvirt has") {
                try lab.vms().map(\.name).sorted() == lab.domains().sorted()
            }
            #expect(try lab.domains().sorted() == names)
            let vms = try lab.vms()
            #expect(vms.filter { $0.state == .running }.map(\.name).sorted() == ["r1", "r3"])
            #expect(vms.allSatisfy { $0.managed })
            let disks = lab.list(lab.pool).filter { $0.hasPrefix("r") }
            #expect(disks.map { String($0.prefix { $0 != "-" }) }.sorted() == names)
            let seeds = lab.list("\(lab.state)/seeds")
            #expect(seeds.sorted() == vms.map { "\($0.id)" }.sorted())
            for name in names { try lab.remove(name) }
        }

        private func restarts(_ lab: Lab, _ count: Int) throws -> [Int32] {
            for _ in 0..<count {
                try lab.vhost("restart-libvirtd", lab.name)
                usleep(300_000)
            }
            return [0]
        }

        /// The exit codes of the commands that counted. One that ends with 6 says that nothing was done: that
        /// is checked, and it is given again.
        private func makeAndDelete(_ lab: Lab, _ name: String, deletes: Bool, starts: Bool) throws -> [Int32]
        {
            let create = ["vm", "create", name, "--image", "tiny", "--memory", "128M", "--network", "none"]
            let made = try untilReachable(lab, create + (starts ? [] : ["--no-start"]))
            guard deletes else { return [made] }
            return [made, try untilReachable(lab, ["vm", "delete", name, "--yes", "--force"])]
        }

        private func untilReachable(_ lab: Lab, _ command: [String]) throws -> Int32 {
            var outcome = try lab.run(command, seconds: 300)
            let end = Clock.now + 240
            while outcome.status == 6 && Clock.now < end {
                usleep(300_000)
                outcome = try lab.run(command, seconds: 300)
            }
            if outcome.status != 0 { Issue.record("\(outcome)") }
            return outcome.status
        }

        @Test func aDestroyOutsideIsSoonAnEvent() throws {
            let lab = try Lab.current
            try lab.create("gone", "--network", "none")
            let before = try lab.lastEvent()
            let begin = Date()
            try lab.virsh("destroy", "gone")
            var found: Event?
            try eventually("the event of the stop", seconds: 5) {
                found = try lab.events(since: before).first {
                    $0.type == "vm.stopped" && $0.subject?.name == "gone"
                }
                return found != nil
            }
            let event = try #require(found)
            #expect(event.origin == .libvirt)
            #expect(abs(event.time.date.timeIntervalSince(begin)) < 5)
            #expect(try lab.vm("gone").state == .stopped)
            try lab.remove("gone")
        }

        @Test func itsAbsenceIsNoSilence() throws {
            let lab = try Lab.current
            try lab.create("stays", "--network", "none")
            try lab.create("goes", "--no-start")
            try lab.vhost("stop-libvirtd", lab.name)
            defer { _ = try? lab.vhost("start-libvirtd", lab.name) }
            var list = try lab.vctl("vm", "list", seconds: 20)
            try eventually("the list says how old it is") {
                list = try lab.vctl("vm", "list", seconds: 20)
                return list.err.contains("ago")
            }
            #expect(list.status == 0)
            #expect(list.lines.contains { $0.hasPrefix("stays ") && $0.contains("running") })
            let create = try lab.vctl("vm", "create", "none", "--image", "tiny", seconds: 60)
            #expect(create.status == 6 && create.err.contains("(libvirt.unavailable)"), "\(create)")
            #expect(try lab.vctl("vm", "stop", "stays", "--force", seconds: 60).status == 6)
            #expect(try lab.vctl("image", "list", seconds: 20).status == 0)
            try lab.vhost("start-libvirtd", lab.name)
            try changesAreSeen(lab)
        }

        private func changesAreSeen(_ lab: Lab) throws {
            try lab.virsh("undefine", "goes")
            try lab.virsh("destroy", "stays")
            let other = try lab.write("other.xml", Foreign.domain("other"))
            try lab.virsh("define", other)
            try eventually("the list follows by itself") {
                let states = try Dictionary(uniqueKeysWithValues: lab.vms().map { ($0.name, $0.state) })
                return states == ["goes": .missing, "stays": .stopped, "other": .stopped]
            }
            #expect(try lab.vctl("vm", "list").err.contains("ago") == false)
            #expect(try lab.vctl("vm", "create", "none", "--image", "tiny", "--no-start").status == 0)
            try lab.virsh("undefine", "other")
            try lab.remove("stays", "goes", "none")
            #expect(lab.list(lab.pool).filter { $0.hasPrefix("goes") } == [])
        }

        @Test func foreignDomainsAreUsedButNotChanged() throws {
            let lab = try Lab.current
            let before = try lab.lastEvent()
            try lab.virsh("define", lab.write("plain.xml", Foreign.domain("plain")))
            try lab.virsh("define", lab.write("odd.xml", Foreign.domain("an odd: name")))
            try eventually("they are shown") { try lab.vms().count { !$0.managed } == 2 }
            for verb in ["start", "pause", "resume", "reset"] { try lab.must("vm", verb, "plain") }
            #expect(try lab.vm("plain").state == .running)
            let xml = try lab.virsh("dumpxml", "plain").out
            for refused in [["delete", "plain", "--yes", "--force"], ["set", "plain", "--label", "a=b"]] {
                let outcome = try lab.run(["vm"] + refused)
                #expect(outcome.status == 4 && outcome.err.contains("(vm.foreign)"), "\(outcome)")
            }
            #expect(try lab.virsh("dumpxml", "plain").out == xml)
            try lab.must("vm", "stop", "plain", "--force")
            let odd = try lab.virsh("domuuid", "an odd: name").text
            try lab.must("vm", "start", odd)
            #expect(try lab.vm(odd).name == "an odd: name")
            try lab.virsh("destroy", odd)
            for domain in ["plain", odd] { try lab.virsh("undefine", domain) }
            try eventually("they are gone") { try lab.vms().allSatisfy(\.managed) }
            let events = try lab.events(since: before).filter { $0.subject?.name == "plain" }
            #expect(events.first?.type == "vm.created" && events.first?.origin == .libvirt)
            #expect(events.last?.type == "vm.deleted" && events.last?.origin == .libvirt)
        }
    }
}

/// Domains that somebody else made.
enum Foreign {
    /// A definition with nothing to boot.
    static func domain(_ name: String) -> String {
        """
        <domain type='qemu'><name>\(name)</name><memory unit='MiB'>64</memory>
        <os><type arch='x86_64'>hvm</type></os><devices/></domain>
        """
    }
}
