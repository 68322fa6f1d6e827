// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// Pools of a real libvirt, with disks of real guests in them.
    @Suite(.hosted("pools"))
    struct Pools {
        @Test func aPoolHoldsVolumesAndDisksAndVirshAgrees() throws {
            let lab = try Lab.current
            let made = try pool(lab, "create", "fast", "--type", "dir", "--target", "/srv/fast")
            #expect(made.managed && made.state == .running && made.target == "/srv/fast")
            #expect(try lab.virsh("pool-info", "fast").out.contains("Autostart:      yes"))
            #expect(try lab.virsh("pool-uuid", "fast").text == "\(made.id)")
            let again = try lab.must(
                "pool", "create", "fast", "--type", "dir", "--target", "/srv/fast", "--if-not-exists")
            #expect(again.err.contains("nothing to do"))

            let data = try volume(lab, "create", "fast/data", "--size", "64M", "--label", "use=test")
            #expect(data.path == "/srv/fast/data" && data.format == "qcow2" && data.capacityBytes == 64 << 20)
            try lab.must(
                "volume", "create", "fast/full", "--size", "4M", "--format", "raw", "--preallocation", "full")
            try virshAgrees(lab, "fast")
            let info = try Shell.must(["qemu-img", "info", "--output=json", "\(lab.root)/srv/fast/data"]).out
            #expect(info.contains(#""compat": "1.1""#))

            let vm = try lab.create("web", "--disk", "256M", "--disk", "32M,pool=fast")
            let disk = try #require(vm.disks.compactMap(\.path).first { $0.hasPrefix("/srv/fast/") })
            try lab.must("vm", "disk", "add", "web", "--path", "/srv/fast/data", "--bus", "scsi")
            try lab.must("vm", "disk", "add", "web", "16M,pool=fast")
            try eventually("the pool shows who uses it") { try pool(lab, "show", "fast").volumes == 4 }
            let volumes = try volumes(lab, "fast")
            #expect(volumes.filter { $0.usedBy == ["web"] }.count == 3)
            #expect(volumes.first { $0.path == disk }?.managed == false)
            try eventually("virsh sees the disks of the VM") {
                try names(lab, "fast") == virshNames(lab, "fast")
            }
            try whatARunningGuestNeedsStays(lab)

            try lab.must("vm", "stop", "web", "--force")
            try lab.must("volume", "resize", "fast/data", "128M")
            #expect(try volume(lab, "show", "fast/data").capacityBytes == 128 << 20)
            try lab.remove("web")
            try eventually("the VM's own disks are gone") { try names(lab, "fast") == ["data", "full"] }
            try virshAgrees(lab, "fast")
            try lab.must("pool", "delete", "fast", "--yes", "--with-data")
            #expect(!FileManager.default.fileExists(atPath: "\(lab.root)/srv/fast"))
            #expect(try !lab.virsh("pool-list", "--all", "--name").lines.contains("fast"))
        }

        private func whatARunningGuestNeedsStays(_ lab: Lab) throws {
            for words in [
                ["volume", "delete", "fast/data", "--yes"], ["volume", "resize", "fast/data", "128M"],
                ["pool", "stop", "fast"], ["pool", "delete", "fast", "--yes"],
                ["pool", "delete", "fast", "--yes", "--with-data", "--force"],
            ] {
                let refused = try lab.run(words)
                #expect(refused.status == 4 && refused.err.contains("VM web"), "\(words): \(refused)")
            }
            #expect(
                try lab.vctl("volume", "resize", "fast/data", "128M").err.contains("vctl vm disk resize web"))
            #expect(try lab.vm("web").state == .running)
        }

        @Test func aPoolOfVirshIsShownUsedAdoptedAndReleasedUnchanged() throws {
            let lab = try Lab.current
            try FileManager.default.createDirectory(
                atPath: "\(lab.root)/srv/theirs", withIntermediateDirectories: true)
            let xml = try lab.write(
                "theirs.xml",
                "<pool type='dir'><name>their pool</name><target><path>/srv/theirs</path></target></pool>")
            try lab.virsh("pool-define", xml)
            try lab.virsh("pool-start", "their pool")
            try lab.virsh("vol-create-as", "their pool", "old.qcow2", "8M", "--format", "qcow2")
            try eventually("it is seen with its volume") { try names(lab, "their pool") == ["old.qcow2"] }
            let id = "\(try pool(lab, "show", "their pool").id)"
            let definition = "\(lab.root)/etc/storage/their pool.xml"
            let before = try (description(lab, id), Data(contentsOf: URL(filePath: definition)))
            for words in [
                ["pool", "stop", "their pool"], ["pool", "delete", "their pool", "--yes"],
                ["pool", "set", "their pool", "--no-autostart"],
                ["volume", "delete", "their pool/old.qcow2", "--yes"],
            ] {
                let refused = try lab.run(words)
                #expect(refused.status == 4 && refused.err.contains("oreign)"), "\(words): \(refused)")
            }
            try lab.must("volume", "create", "their pool/ours", "--size", "8M")
            try virshAgrees(lab, "their pool")
            try lab.must("volume", "delete", "their pool/ours", "--yes")
            let adopted = try pool(lab, "adopt", id, "--label", "from=virsh")
            #expect(adopted.managed && adopted.labels == ["from": "virsh"])
            try lab.restart("", open: false)
            #expect(try pool(lab, "show", id).managed)
            #expect(try pool(lab, "release", id).managed == false)
            #expect(try description(lab, id) == before.0)
            #expect(try Data(contentsOf: URL(filePath: definition)) == before.1)
            try lab.virsh("pool-destroy", "their pool")
            try eventually("its stop is seen") { try pool(lab, "show", id).state == .stopped }
            try lab.virsh("pool-undefine", "their pool")
            try eventually("it is forgotten") { try lab.vctl("pool", "show", id).status == 3 }
        }

        /// What libvirt says of a pool, but for how full it is.
        private func description(_ lab: Lab, _ id: String) throws -> [String] {
            try lab.virsh("pool-dumpxml", id).lines.filter { line in
                !["<capacity", "<allocation", "<available"].contains { line.contains($0) }
            }
        }

        @Test func whatOthersDoIsSeen() throws {
            let lab = try Lab.current
            try lab.must("pool", "create", "watched", "--type", "dir", "--target", "/srv/watched")
            let folder = "\(lab.root)/srv/watched"
            try lab.must("volume", "create", "watched/mine", "--size", "8M")
            try lab.inside("qemu-img", "create", "-q", "-f", "qcow2", "/srv/watched/byhand", "8M")
            try eventually("a file made by hand is seen, and libvirt told") {
                try names(lab, "watched") == ["byhand", "mine"]
                    && virshNames(lab, "watched") == ["byhand", "mine"]
            }
            try lab.inside("rm", "/srv/watched/mine", "/srv/watched/byhand")
            try eventually("what vctl made is missing, the other one forgotten") {
                try volumes(lab, "watched").map { "\($0.name) \($0.state.rawValue)" } == ["mine missing"]
            }
            #expect(lab.list(folder).isEmpty, "nothing is made by itself")
            try lab.must("volume", "delete", "watched/mine", "--yes")
            try lab.inside("mv", "/srv/watched", "/srv/away")
            try eventually("its directory is missed") { try pool(lab, "show", "watched").state == .missing }
            let critical = try lab.vctl("pool", "list", "--check")
            #expect(critical.status == 2 && critical.err.contains("critical: pool watched"), "\(critical)")
            try lab.inside("mv", "/srv/away", "/srv/watched")
            try eventually("it is back") { try pool(lab, "show", "watched").state == .running }
            try lab.virsh("pool-destroy", "watched")
            try eventually("its stop is seen") { try pool(lab, "show", "watched").state == .stopped }
            #expect(try lab.vctl("pool", "list", "--check", "--select", "a=b").status == 0, "none is none")
            #expect(try [1, 2].contains(lab.vctl("pool", "list", "--check").status))
            try lab.must("pool", "start", "watched")
            try lab.virsh("pool-destroy", "watched")
            try lab.virsh("pool-undefine", "watched")
            try eventually("it is missed") { try pool(lab, "show", "watched").state == .missing }
            try lab.must("pool", "delete", "watched", "--yes")
            #expect(try lab.vctl("pool", "show", "watched").status == 3)
        }

        /// `kill -9` of the daemon at many moments of a volume's beginning: there is the whole or nothing.
        @Test func aDaemonThatIsKilledLeavesNoHalfVolume() throws {
            let lab = try Lab.current
            try lab.must("pool", "create", "risky", "--type", "dir", "--target", "/srv/risky")
            let folder = "\(lab.root)/srv/risky"
            for moment in 0..<10 {
                let name = "v\(moment)"
                let body = #"{"name":"\#(name)","sizeBytes":67108864,"format":"raw","preallocation":"full"}"#
                let request = Request(method: "POST", target: "/v1/pools/risky/volumes").bytes(
                    Array(body.utf8), as: "application/json"
                ).header("Idempotency-Key", name)
                _ = try atOnce(2) { index -> Bool in
                    if index == 0 { return (try? lab.client().send(request)) != nil }
                    usleep(UInt32(moment) * 30_000)
                    try lab.crash()
                    return true
                }
                try lab.startDaemon()
                _ = try lab.client().send(request)
                try eventually("every operation ends", seconds: 120) {
                    try lab.operations().allSatisfy { $0.status.isFinal }
                }
                let operations = try lab.operations().filter { $0.kind == "volume.create" }
                #expect(operations.count { $0.resources.contains { $0.name == "risky/\(name)" } } == 1)
                #expect(lab.list(folder) == [name], "moment \(moment)")
                #expect(try volumes(lab, "risky").map(\.state) == [.present])
                try virshAgrees(lab, "risky")
                try lab.must("volume", "delete", "risky/\(name)", "--yes")
                #expect(lab.list(folder).isEmpty)
                let marks = lab.list("\(lab.state)/objects/volume").filter { $0.hasSuffix(".json") }
                #expect(marks.isEmpty, "moment \(moment)")
            }
            try lab.restart("", open: false)
            #expect(lab.list("\(lab.state)/objects/volume").isEmpty, "nothing is left that was never whole")
            try lab.must("pool", "delete", "risky", "--yes")
        }

        @Test func clonesAreWhatTheyWereMadeFrom() throws {
            let lab = try Lab.current
            try lab.must("pool", "create", "copies", "--type", "dir", "--target", "/srv/copies")
            let folder = "\(lab.root)/srv/copies"
            try lab.must("volume", "create", "copies/base", "--size", "16M")
            try lab.inside("qemu-io", "-f", "qcow2", "-c", "write -P 0x5a 1M 2M", "/srv/copies/base")
            try lab.must("volume", "clone", "copies/base", "copies/full")
            try lab.must("volume", "clone", "copies/base", "copies/raw", "--format", "raw")
            let linked = try volume(lab, "clone", "copies/base", "copies/thin", "--linked")
            #expect(linked.backing == "/srv/copies/base" && (linked.allocationBytes ?? .max) < 1 << 20)
            for (name, format) in [("full", "qcow2"), ("raw", "raw"), ("thin", "qcow2")] {
                try same(lab, "base", name, format)
            }
            let held = try lab.vctl("volume", "delete", "copies/base", "--yes")
            #expect(held.status == 4 && held.err.contains("/srv/copies/thin"), "\(held)")
            let part = try lab.vctl("volume", "download", "copies/thin", "\(lab.files)/thin.qcow2")
            #expect(part.status == 4 && part.err.contains("vctl volume flatten"), "\(part)")
            let flat = try volume(lab, "flatten", "copies/thin")
            #expect(flat.backing == nil)
            try same(lab, "base", "thin", "qcow2")
            try lab.must("volume", "download", "copies/thin", "\(lab.files)/thin.qcow2")
            try Shell.must(["cmp", "\(folder)/thin", "\(lab.files)/thin.qcow2"])
            let sum = try Shell.must(["sha256sum", "\(lab.files)/thin.qcow2"]).out.prefix(64)
            try lab.must(
                "volume", "upload", "copies/sent", "\(lab.files)/thin.qcow2", "--checksum", "sha256:\(sum)")
            try Shell.must(["cmp", "\(folder)/sent", "\(lab.files)/thin.qcow2"])
            let taken = try lab.vctl("volume", "upload", "copies/sent", "\(lab.files)/thin.qcow2")
            #expect(taken.status == 4 && taken.err.contains("volume.exists"), "\(taken)")
            for name in ["base", "raw"] {
                try lab.must("volume", "wipe", "copies/\(name)", "--yes")
                let bytes = try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
                #expect(!bytes.contains(0x5a), "\(name)")
                #expect(try volume(lab, "show", "copies/\(name)").capacityBytes == 16 << 20)
            }
            try aRunningGuestsDiskIsNotRead(lab)
            try lab.must("pool", "delete", "copies", "--yes", "--with-data")
        }

        /// By the paths that the host has.
        private func same(_ lab: Lab, _ one: String, _ other: String, _ format: String) throws {
            let compared = try lab.inside(
                "qemu-img", "compare", "-q", "-f", "qcow2", "-F", format, "/srv/copies/\(one)",
                "/srv/copies/\(other)")
            #expect(compared.status == 0, "\(compared)")
        }

        private func aRunningGuestsDiskIsNotRead(_ lab: Lab) throws {
            try lab.create("writer", "--disk", "256M")
            try lab.must("vm", "disk", "add", "writer", "--path", "/srv/copies/full")
            for words in [
                ["clone", "copies/full", "copies/x"], ["clone", "copies/full", "copies/x", "--linked"],
                ["download", "copies/full", "\(lab.files)/x"], ["wipe", "copies/full", "--yes"],
            ] {
                let refused = try lab.run(["volume"] + words)
                #expect(refused.status == 4 && refused.err.contains("VM writer"), "\(words): \(refused)")
            }
            try lab.must("vm", "stop", "writer", "--force")
            try lab.must("volume", "clone", "copies/full", "copies/x")
            let pinned = try lab.vctl("volume", "clone", "copies/full", "copies/y", "--linked")
            #expect(pinned.status == 4 && pinned.err.contains("VM writer"), "\(pinned)")
            try lab.remove("writer")
        }

        @Test func nonsenseIsRefused() throws {
            let lab = try Lab.current
            try lab.inside("ln", "-sfn", "/etc", "/srv/link")
            for (target, code) in [
                ("/etc/pool", "path.forbidden"), ("/srv/link", "path.forbidden"),
                ("/srv/link/below", "path.forbidden"), ("relative", "request.invalid"),
                ("/srv/../etc", "request.invalid"), ("/var/lib/libvirt/images", "pool.overlap"),
                ("/var/lib/libvirt/images/inner", "pool.overlap"),
                ("/var/lib/vctld/volumes/inner", "path.forbidden"),
            ] {
                let refused = try lab.vctl("pool", "create", "odd", "--type", "dir", "--target", target)
                #expect(refused.status != 0 && refused.err.contains("(\(code))"), "\(target): \(refused)")
            }
            for words in [
                ["pool", "create", "default", "--type", "dir", "--target", "/srv/other"],
                ["pool", "create", "-x", "--type", "dir", "--target", "/srv/other"],
                ["pool", "create", "odd", "--type", "rbd", "--target", "/srv/other"],
                ["volume", "create", "nopool/a", "--size", "1M"],
                ["volume", "create", "default", "--size", "1M"],
                ["volume", "create", "default/../../etc/x", "--size", "1M"],
                ["volume", "create", "default/a", "--size", "1000P", "--preallocation", "falloc"],
                ["volume", "show", "default/none"], ["volume", "delete", "default/none", "--yes"],
            ] {
                let refused = try lab.run(words)
                #expect([1, 3, 4, 64].contains(refused.status), "\(words): \(refused)")
                #expect(!refused.err.contains("internal.error"), "\(words): \(refused)")
            }
            #expect(!FileManager.default.fileExists(atPath: "\(lab.root)/srv/other"))
            #expect(try lab.virsh("pool-list", "--all", "--name").lines.contains("odd") == false)
        }
    }
}

private func told(_ lab: Lab, _ words: [String]) throws -> String {
    let outcome = try lab.run(words + ["--format", "json"])
    guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
    return outcome.out
}

private func pool(_ lab: Lab, _ words: String...) throws -> Pool {
    try decode(Pool.self, told(lab, ["pool"] + words))
}

private func volume(_ lab: Lab, _ words: String...) throws -> Volume {
    try decode(Volume.self, told(lab, ["volume"] + words))
}

private func volumes(_ lab: Lab, _ pool: String) throws -> [Volume] {
    try decode([Volume].self, lab.must("volume", "list", pool, "--format", "json").out)
}

private func names(_ lab: Lab, _ pool: String) throws -> [String] { try volumes(lab, pool).map(\.name) }

private func virshNames(_ lab: Lab, _ pool: String) throws -> [String] {
    try lab.virsh("vol-list", pool).lines.compactMap { $0.split(separator: " ").first.map(String.init) }
        .sorted()
}

private func virshAgrees(_ lab: Lab, _ pool: String) throws {
    try eventually("virsh agrees about \(pool)") { try names(lab, pool) == virshNames(lab, pool) }
}
