// SPDX-License-Identifier: Apache-2.0
import Foundation
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
    }
}
