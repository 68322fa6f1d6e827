// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing
import VctlAPI

extension RealGuests {
    /// Copies of VMs and of their disks.
    @Suite(.hosted("clone"))
    struct Clones {
        @Test func aRunningGuestIsCopiedAsItIs() throws {
            let lab = try Lab.current
            let source = try lab.create("guest", "--wait-for", "agent", "--timeout", "4m")
            let sum = try lab.must(
                "exec", "guest", "sh", "-c", "head -c 3000000 /dev/urandom >/data/r; sync; md5sum /data/r")
            try clone(lab, source, "linked", "--linked", sum.out)
            try clone(lab, source, "whole", "--full", sum.out)
            #expect(try lab.vm("guest").state == .running)
            let left = try lab.inside("virsh", "dumpxml", "guest").out
            #expect(!left.contains("<mirror"), "no job is left on the disk")
            try publish(lab, sum.out)
            try lab.remove("linked", "whole", "guest")
            try lab.must("image", "delete", "made", "--yes")
        }

        private func clone(_ lab: Lab, _ source: VM, _ name: String, _ how: String, _ sum: String) throws {
            try lab.must(
                "vm", "clone", "guest", name, how, "--start", "--wait-for", "agent", "--timeout", "4m")
            let vm = try lab.vm(name)
            #expect(vm.id != source.id && vm.nics[0].mac != source.nics[0].mac)
            #expect(vm.nics[0].tap != source.nics[0].tap && vm.disks[0].serial != source.disks[0].serial)
            #expect(vm.image?.linked == (how == "--linked"))
            #expect(try lab.must("exec", name, "md5sum", "/data/r").out == sum)
            #expect(try lab.must("exec", name, "hostname").out == "\(name)\n")
            let uuid = try lab.must("exec", name, "cat", "/sys/class/dmi/id/product_uuid").out
            #expect(uuid.trimmingCharacters(in: .whitespacesAndNewlines).lowercased() == vm.id.rawValue)
        }

        private func publish(_ lab: Lab, _ sum: String) throws {
            try lab.must("image", "publish", "guest", "made")
            let file = "\(lab.files)/made.qcow2"
            try lab.must("image", "export", "made", file)
            let image = try decode(Image.self, lab.must("image", "show", "made", "--format", "json").out)
            let digest = try Shell.must(["sha256sum", file]).out.prefix(64)
            #expect(image.checksum == "sha256:\(digest)" && image.source == "vm:guest")
            let twice = try lab.vctl("image", "export", "made", file)
            #expect(twice.status == 64 && twice.err.contains("--force"))
            try lab.must(
                "vm", "create", "reborn", "--image", "made", "--memory", "128M", "--wait-for", "agent",
                "--timeout", "4m")
            #expect(try lab.must("exec", "reborn", "md5sum", "/data/r").out == sum)
            try lab.remove("reborn")
        }

        @Test func anIdentityIsNotShared() throws {
            let lab = try Lab.current
            try lab.create("one", "--no-start", "--firmware", "uefi", "--disk", "200M", "--disk", "20M")
            let preview = try lab.must("vm", "clone", "one", "two", "--dry-run").out
            #expect(preview.contains("linked to") && preview.contains("define domain \"two\""))
            #expect(try lab.vctl("vm", "show", "two").status == 3, "a dry run changes nothing")
            // It writes its variables at the first start.
            try lab.must("vm", "start", "one")
            try lab.must("vm", "stop", "one", "--force")
            try lab.must("vm", "clone", "one", "two", "--label", "copy=yes")
            let (one, two) = (try lab.vm("one"), try lab.vm("two"))
            #expect(
                two.state == .stopped && two.disks.count == one.disks.count && two.labels["copy"] == "yes")
            #expect(Set(one.disks.compactMap(\.path)).isDisjoint(with: two.disks.compactMap(\.path)))
            let xml = try lab.inside("virsh", "dumpxml", "--inactive", "two").out
            #expect(xml.contains("/nvram/\(two.id)_VARS.fd") && !xml.contains(one.id.rawValue))
            #expect(FileManager.default.fileExists(atPath: "\(lab.state)/nvram/\(two.id)_VARS.fd"))
            let taken = try lab.vctl("vm", "clone", "one", "two")
            #expect(taken.status == 4 && taken.err.contains("(vm.exists)"), "\(taken)")
            try lab.must("vm", "rename", "two", "drei")
            try lab.must("vm", "start", "drei")
            try lab.remove("drei", "one")
            #expect(
                try !FileManager.default.contentsOfDirectory(atPath: "\(lab.state)/nvram").contains {
                    $0.hasSuffix("_VARS.fd")
                })
        }

        @Test func aCloneThatCannotBeIsRefused() throws {
            let lab = try Lab.current
            try lab.create("plain", "--full", "--no-start")
            let linked = try lab.vctl("vm", "clone", "plain", "x", "--linked")
            #expect(linked.status == 4 && linked.err.contains("--full"), "\(linked)")
            #expect(try lab.vctl("vm", "clone", "nobody", "x").status == 3)
            #expect(try lab.vctl("vm", "clone", "plain", "x", "--wait-for", "ip").status == 64)
            #expect(try lab.vctl("vm", "clone", "plain", "x", "--pool", "nowhere").status == 3)
            let disk = try lab.vctl("image", "publish", "plain", "x", "--disk", "vdz")
            #expect(disk.status == 3 && disk.err.contains("vda"), "\(disk)")
            #expect(try lab.vms().map(\.name) == ["plain"])
            try lab.remove("plain")
        }

        // MARK: What a copy does to its source

        /// Nothing boots from it, and only one such guest can run: the port of its serial line is taken.
        private func only(_ name: String, _ disk: String) -> String {
            """
            <domain type='qemu'><name>\(name)</name><memory unit='MiB'>64</memory>
            <os><type arch='x86_64' machine='q35'>hvm</type></os>
            <devices>\(disk)<serial type='tcp'>
            <source mode='bind' host='127.0.0.1' service='4999'/></serial></devices></domain>
            """
        }

        private func disk(_ lab: Lab, _ name: String, _ command: String) throws -> String {
            let path = "/var/lib/libvirt/images/\(name)"
            #expect(try lab.inside("sh", "-c", "\(command) >\(path)").status == 0)
            return """
                <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='\(path)'/>
                <target dev='vda' bus='virtio'/></disk>
                """
        }

        @Test func aSourceIsLeftAsItWas() throws {
            let lab = try Lab.current
            let xml = only("held", try disk(lab, "held.raw", "head -c 8M /dev/urandom"))
            try lab.must("vm", "create", "held", "--xml", "-", input: xml)
            try lab.must("vm", "clone", "held", "while-it-runs")
            #expect(try lab.vm("held").state == .running)
            try failedClone(lab)
            #expect(try lab.vm("held").state == .running, "it ran before")

            try lab.virsh("suspend", "held")
            try lab.must("vm", "clone", "held", "while-paused")
            #expect(try lab.virsh("domstate", "held").lines == ["paused"])
            try failedClone(lab)
            #expect(try lab.virsh("domstate", "held").lines == ["paused"], "somebody had paused it")
            for name in ["while-it-runs", "while-paused"] {
                let path = try #require(try lab.vm(name).disks[0].path)
                let same = try lab.inside(
                    "qemu-img", "compare", "-U", "-f", "raw", "-F", "raw",
                    "/var/lib/libvirt/images/held.raw", path)
                #expect(same.status == 0, "\(same)")
            }
            try pending(lab)
            try lab.remove("held", "while-it-runs", "while-paused")
        }

        /// The daemon goes in the midst of the moment for which the guest is halted.
        @Test(arguments: ["halt", "finish"], [SIGTERM, SIGKILL])
        func noGuestStaysHalted(_ step: String, _ signal: Int32) throws {
            let lab = try Lab.current
            let id = try interrupted(lab, in: step, by: signal)
            try lab.startDaemon()
            let end = try ended(lab, id)
            #expect(end.status == .succeeded, "\(String(describing: end.error))")
            #expect(try lab.virsh("domstate", "halted").lines == ["running"])
            let path = try #require(try lab.vm("copied").disks[0].path)
            #expect(try lab.inside("cmp", "/var/lib/libvirt/images/halted.raw", path).status == 0)
            try lab.remove("halted", "copied")
        }

        @Test func whatBreaksOffWithoutADaemonIsNoCopy() throws {
            let lab = try Lab.current
            let id = try interrupted(lab, in: "halt", by: SIGTERM)
            try lab.virsh("blockjob", "halted", "vda", "--abort")
            try lab.startDaemon()
            let end = try ended(lab, id)
            #expect(end.status == .failed)
            #expect(end.error?.detail.contains("before it was whole") == true)
            #expect(try lab.virsh("domstate", "halted").lines == ["running"])
            #expect(lab.list(lab.pool).filter { $0.hasPrefix("copied-") } == [])
            try lab.remove("halted")
        }

        /// A clone whose daemon goes in that step.
        private func interrupted(_ lab: Lab, in step: String, by signal: Int32) throws -> ObjectID {
            let xml = only("halted", try disk(lab, "halted.raw", "head -c 8M /dev/urandom"))
            try lab.must("vm", "create", "halted", "--xml", "-", input: xml)
            let clone = try Child(
                ["\(Lab.build)/vctl", "vm", "clone", "halted", "copied"],
                environment: ["VCTL_SOCKET": lab.socket])
            var operation: VctlAPI.Operation?
            try promptly("the guest is being halted") {
                operation = try lab.operations().first { $0.kind == "vm.clone" && !$0.status.isFinal }
                return operation?.steps.contains { $0.key == step } == true
            }
            clone.signal(SIGKILL)
            _ = clone.wait(seconds: 10)
            if signal == SIGTERM {
                try lab.stopDaemon()
                #expect(try lab.virsh("domstate", "halted").lines == ["running"])
            } else {
                try lab.crash()
            }
            return try #require(operation?.id)
        }

        private func ended(_ lab: Lab, _ id: ObjectID) throws -> VctlAPI.Operation {
            var operation: VctlAPI.Operation?
            try eventually("it ends") {
                operation = try lab.operations().first { $0.id == id }
                return operation?.status.isFinal == true
            }
            return try #require(operation)
        }

        /// Looks much more often than ``eventually(_:seconds:_:)``.
        private func promptly(_ what: String, _ body: () throws -> Bool) throws {
            let end = Clock.now + 30
            while try !body() {
                guard Clock.now < end else { throw NeverHappened(what: what, seconds: 30) }
                usleep(2000)
            }
        }

        private func failedClone(_ lab: Lab) throws {
            let failed = try lab.vctl("vm", "clone", "held", "second", "--start")
            #expect(failed.status == 1 && failed.err.contains("4999"), "\(failed)")
            #expect(try lab.vctl("vm", "show", "second").status == 3)
            #expect(lab.list(lab.pool).filter { $0.hasPrefix("second-") } == [])
            let left = try lab.virsh("dumpxml", "held").out
            #expect(!left.contains("<mirror"))
        }

        private func pending(_ lab: Lab) throws {
            let saved = try lab.virsh("dumpxml", "--inactive", "held").out
            let other = saved.replacingOccurrences(of: "held.raw", with: "other.raw")
            try lab.virsh("define", lab.write("pending.xml", other))
            for verb in [["vm", "clone"], ["image", "publish"]] {
                let refused = try lab.run(verb + ["held", "x"])
                #expect(refused.status == 4 && refused.err.contains("next start: vda"), "\(refused)")
            }
            try lab.virsh("define", lab.write("pending.xml", saved))
        }

        @Test func whatCannotBeCopiedIsNotShared() throws {
            let lab = try Lab.current
            _ = try disk(lab, "theirs.raw", "head -c 1M /dev/zero")
            try lab.virsh("pool-refresh", "default")
            let volume = """
                <disk type='volume' device='disk'><driver name='qemu' type='raw'/>
                <source pool='default' volume='theirs.raw'/><target dev='vdb' bus='virtio'/></disk>
                """
            try lab.virsh("define", lab.write("pooled.xml", only("pooled", volume)))
            try eventually("it is seen") { try lab.vms().contains { $0.name == "pooled" } }
            for verb in [["vm", "clone"], ["image", "publish"]] {
                let refused = try lab.run(verb + ["pooled", "x"])
                #expect(refused.status == 4, "\(refused)")
                #expect(refused.err.contains("vdb of VM pooled is of type volume"), "\(refused)")
            }
            #expect(try !lab.domains().contains("x"))
            try lab.virsh("undefine", "pooled")
            try lab.inside("rm", "/var/lib/libvirt/images/theirs.raw")
        }

        @Test func aCopyThatBreaksOffIsNone() throws {
            let lab = try Lab.current
            let xml = only("large", try disk(lab, "large.raw", "head -c 400M /dev/urandom"))
            try lab.must("vm", "create", "large", "--xml", "-", input: xml)
            let broken = try cloning(lab, "broken") {
                try lab.virsh("blockjob", "large", "vda", "--abort", "--async")
            }
            #expect(broken.status == 1 && broken.err.contains("before it was whole"), "\(broken)")
            #expect(try lab.vctl("vm", "show", "broken").status == 3)
            #expect(lab.list(lab.pool).filter { $0.hasPrefix("broken-") } == [])
            #expect(try lab.vm("large").state == .running)

            let whole = try cloning(lab, "whole") {
                try lab.vhost("restart-libvirtd", lab.name)
                try lab.virsh("blockjob", "large", "vda", "--bandwidth", "0")
            }
            #expect(whole.status == 0, "\(whole)")
            #expect(try lab.vm("large").state == .running)
            let path = try #require(try lab.vm("whole").disks[0].path)
            #expect(
                try lab.inside("cmp", "/var/lib/libvirt/images/large.raw", path).status == 0, "nothing wrote")
            try lab.remove("large", "whole")
            try lab.inside("rm", "/var/lib/libvirt/images/large.raw")
        }

        /// Clones slowly, and does something in the midst of it.
        private func cloning(_ lab: Lab, _ name: String, _ disturb: () throws -> Void) throws -> Outcome {
            let clone = try Child(
                ["\(Lab.build)/vctl", "vm", "clone", "large", name], environment: ["VCTL_SOCKET": lab.socket])
            try eventually("the copy has begun") {
                try lab.inside("virsh", "blockjob", "large", "vda", "--bandwidth", "2").status == 0
            }
            try disturb()
            let status = try #require(clone.wait(seconds: 120))
            return clone.outcome(status: status)
        }
    }
}
