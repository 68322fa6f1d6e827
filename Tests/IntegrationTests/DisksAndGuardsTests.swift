// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// Disks of every origin, what is refused, and how commands end.
    @Suite(.hosted("guards"))
    struct DisksAndGuards {
        @Test func aFullCloneStandsAloneAndItsDiskCanBeKept() throws {
            let lab = try Lab.current
            let made = try lab.create("full", "--full", "--no-start")
            let path = try #require(made.disks.first { $0.role == "root" }?.path)
            let file = URL(fileURLWithPath: path).lastPathComponent
            let info = try Shell.must(["qemu-img", "info", "--output=json", "\(lab.pool)/\(file)"]).out
            #expect(!info.contains("backing-filename"))
            try lab.must("vm", "delete", "full", "--yes", "--keep-disks")
            #expect(lab.list(lab.pool).contains(file))
            #expect(try lab.domains().contains("full") == false)

            try lab.create("again", "--import", path, "--wait-for", "ip", "--timeout", "4m")
            try lab.awaitConsole("again", "GUEST-UP name=guest ip=192.168.122.")
            let taken = try lab.vctl("vm", "create", "thief", "--import", path, "--no-start")
            #expect(taken.status == 4, "\(taken)")
            let image = try #require(lab.list("\(lab.state)/images").first { $0.hasSuffix(".qcow2") })
            let base = "/var/lib/vctld/images/\(image)"
            let forbidden = try lab.vctl("vm", "create", "thief", "--import", base, "--no-start")
            #expect(forbidden.err.contains("(path.forbidden)"), "\(forbidden)")
            try sharedDisksStay(lab)
            try lab.must("vm", "stop", "again", "--force")
            try lab.remove("again")
        }

        /// A disk that somebody gave to another domain, too, is not removed under it.
        private func sharedDisksStay(_ lab: Lab) throws {
            let made = try lab.create("sharer", "--no-start")
            let disk = try #require(made.disks.first { $0.role == "root" }?.path)
            let borrowed = """
                <devices><disk type='file' device='disk'>
                <source file='\(disk)'/><target dev='vda'/></disk></devices>
                """
            let xml = Foreign.domain("borrower").replacingOccurrences(of: "<devices/>", with: borrowed)
            try lab.virsh("define", lab.write("borrower.xml", xml))
            try eventually("the other domain is seen") { try lab.vms().contains { $0.name == "borrower" } }
            let refused = try lab.vctl("vm", "delete", "sharer", "--yes")
            #expect(refused.status == 4 && refused.err.contains("borrower"), "\(refused)")
            try lab.virsh("undefine", "borrower")
            try eventually("it is gone") { try !lab.vms().contains { $0.name == "borrower" } }
            try lab.remove("sharer")
        }

        @Test func anISOIsADrive() throws {
            let lab = try Lab.current
            let folder = "\(lab.files)/iso"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data("hello".utf8).write(to: URL(fileURLWithPath: "\(folder)/hello.txt"))
            try Shell.must(["xorriso", "-as", "mkisofs", "-quiet", "-o", "\(lab.files)/small.iso", folder])
            let path = try lab.publish("\(lab.files)/small.iso")
            let made = try lab.create("iso", "--cdrom", path, "--disk", "64M")
            #expect(made.disks.contains { $0.device == "cdrom" && $0.path == path && $0.readOnly })
            #expect(made.disks.contains { $0.device == "disk" && $0.role != "seed" })
            #expect(try lab.must("vm", "xml", "iso").out.contains(path))
            try lab.remove("iso")
            #expect(lab.list(lab.pool).contains("small.iso"))
        }

        @Test func aProtectedVMStays() throws {
            let lab = try Lab.current
            try lab.create("safe", "--no-start", "--protect", "--label", "a=b", "--label", "c=d")
            let refused = try lab.vctl("vm", "delete", "safe", "--yes")
            #expect(refused.status == 4)
            #expect(refused.err.contains("(vm.protected)") && refused.err.contains("--no-protect"))
            #expect(try lab.domains().contains("safe"))
            try lab.must(
                "vm", "set", "safe", "--no-protect", "--unset-label", "a", "--label", "e=f", "--autostart")
            let now = try lab.vm("safe")
            #expect(now.labels == ["c": "d", "e": "f"])
            #expect(now.autostart && !now.protected)
            #expect(try lab.virsh("dominfo", "safe").out.contains("enable"))
            try lab.must("vm", "delete", "safe", "--yes")
        }

        @Test func aDryRunChangesNothing() throws {
            let lab = try Lab.current
            try lab.create("dry", "--no-start", "--label", "a=b")
            let (before, last) = (try picture(lab), try lab.lastEvent())
            try lab.must("vm", "create", "new", "--image", "tiny", "--dry-run")
            try lab.must("vm", "set", "dry", "--label", "a=c", "--dry-run")
            try lab.must("vm", "start", "dry", "--dry-run")
            try lab.must("vm", "delete", "dry", "--yes", "--dry-run")
            try lab.must("image", "import", "new", "\(Lab.images)/tiny.qcow2", "--dry-run")
            try lab.must("image", "rename", "tiny", "other", "--dry-run")
            #expect(try picture(lab) == before)
            // What libvirt reports of the VM made before may come at any time.
            #expect(try lab.events(since: last).filter { $0.origin == .vctl }.map(\.type) == [])
            try lab.remove("dry")
        }

        private func picture(_ lab: Lab) throws -> [String] {
            let vms = try lab.vms().map { "\($0.name) \($0.state) \($0.labels)" }
            let images = try lab.must("image", "list", "--format", "name").lines
            return try vms + images + lab.domains() + lab.list(lab.pool) + lab.list("\(lab.state)/images")
                + lab.list("\(lab.state)/seeds")
        }

        @Test func exitCodesSayWhatHappened() throws {
            let lab = try Lab.current
            try lab.create("code", "--no-start")
            #expect(try lab.vctl("vm", "show", "code").status == 0)
            #expect(try lab.vctl("vm", "stop", "code").status == 0)
            #expect(try lab.vctl("vm", "show", "nobody").status == 3)
            #expect(try lab.vctl("vm", "create", "x", "--image", "nobody").status == 3)
            #expect(try lab.vctl("vm", "create", "code", "--image", "tiny").status == 4)
            #expect(try lab.vctl("vm", "create", "code", "--image", "tiny", "--if-not-exists").status == 0)
            #expect(try lab.vctl("vm", "delete", "nobody", "--yes", "--if-exists").status == 0)
            #expect(try lab.vctl("vm", "list", "--socket", "/nonexistent").status == 6)
            let waiting = try lab.vctl("vm", "wait", "code", "--for", "running", "--timeout", "1s")
            #expect(waiting.status == 7)
            #expect(try lab.vctl("vm", "list", "--bogus").status == 64)
            #expect(try lab.vctl("vm", "delete", "code").status == 64, "without --yes, and no terminal")
            let several = try lab.vctl("vm", "show", "code", "nobody", "--format", "name")
            #expect(several.status == 3 && several.lines == ["code"])
            try lab.remove("code")
        }

        @Test func operationsAreShownAwaitedAndCancelled() throws {
            let lab = try Lab.current
            let quick = try lab.must(
                "vm", "create", "later", "--image", "tiny", "--no-start", "--no-wait", "--format", "json")
            let operation = try decode(VctlAPI.Operation.self, quick.out)
            #expect(operation.kind == "vm.create")
            try lab.must("operation", "wait", "\(operation.id)", "--timeout", "2m")
            #expect(try shown(lab, operation.id).status == .succeeded)
            #expect(try lab.domains().contains("later"))
            try lab.remove("later")

            let big = "\(lab.files)/big.raw"
            try Shell.must(["head", "-c", "700M", "/dev/urandom"].shell(to: big))
            try lab.must("image", "import", "big", big, "--source-format", "raw", "--format", "raw")
            let cancelled = try cancelInTheMiddle(lab)
            #expect(cancelled.status == .cancelled)
            #expect(try lab.domains().contains("half") == false)
            #expect(lab.list(lab.pool).filter { $0.hasPrefix("half") } == [])
            #expect(try lab.vctl("vm", "show", "half").status == 3)
            try lab.must("image", "delete", "big", "--yes")
        }

        /// Cancels a full clone once its disk is being written; one that was faster is taken away, and tried
        /// again.
        private func cancelInTheMiddle(_ lab: Lab) throws -> VctlAPI.Operation {
            for _ in 0..<5 {
                let accepted = try lab.must(
                    "vm", "create", "half", "--image", "big", "--full", "--no-start", "--no-wait", "--format",
                    "json")
                let id = try decode(VctlAPI.Operation.self, accepted.out).id
                try eventually("the disk is being made") { try !shown(lab, id).steps.isEmpty }
                try lab.vctl("operation", "cancel", "\(id)")
                try lab.vctl("operation", "wait", "\(id)", "--timeout", "2m")
                let end = try shown(lab, id)
                if end.status != .succeeded { return end }
                try lab.remove("half")
            }
            throw NeverHappened(what: "a clone slow enough to be cancelled", seconds: 0)
        }

        private func shown(_ lab: Lab, _ id: ObjectID) throws -> VctlAPI.Operation {
            try lab.client().send(Request(method: "GET", target: "/v1/operations/\(id)")).decoded()
        }
    }
}

extension [String] {
    /// The command with its standard output in a file.
    func shell(to file: String) -> [String] {
        ["sh", "-c", "exec \"$@\" >'\(file)'", "sh"] + self
    }
}
