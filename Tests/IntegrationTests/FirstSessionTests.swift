// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// What someone does who has just installed it.
    @Suite(.hosted("first"))
    struct FirstSession {
        @Test func aLinkedVMBootsWithItsSeedAndAnswers() throws {
            let lab = try Lab.current
            let seed = try lab.write("first.sh", "#!/bin/sh\necho SEED-SAYS one\n")
            let made = try lab.create(
                "web1", "--linked", "--cloud-init", seed, "--label", "env=test", "--wait-for", "ip",
                "--timeout",
                "4m")
            #expect(made.state == .running)
            #expect(made.labels == ["env": "test"])
            #expect(made.managed)
            let address = try #require(made.nics.first?.addresses.first?.address)
            try lab.awaitConsole("web1", "GUEST-UP name=web1 ip=\(address)")
            let console = try lab.console("web1")
            #expect(console.contains("local-hostname=web1"))
            #expect(console.contains("SEED user-data: echo SEED-SAYS one"))
            #expect(console.contains("\nSEED-SAYS one"))
            try lab.must("vm", "wait", "web1", "--for", "agent", "--timeout", "2m")
            #expect(try lab.inside("curl", "-sS", "http://\(address)/").out.contains("hello from web1"))
            try powerVerbs(lab)
            try newSeed(lab)
            try lab.must("vm", "stop", "web1")
            #expect(try lab.vm("web1").state == .stopped)
            try lab.must("vm", "delete", "web1", "--yes")
            #expect(lab.list(lab.pool).filter { $0.hasPrefix("web1") } == [])
            #expect(lab.list("\(lab.state)/seeds").contains("\(made.id)") == false)
        }

        private func powerVerbs(_ lab: Lab) throws {
            try lab.must("vm", "pause", "web1")
            #expect(try lab.vm("web1").state == .paused)
            try lab.must("vm", "resume", "web1")
            #expect(try lab.vm("web1").state == .running)
            try lab.must("vm", "reset", "web1")
            try lab.awaitConsole("web1", "GUEST-UP name=web1", times: 2)
        }

        private func newSeed(_ lab: Lab) throws {
            let seed = try lab.write("second.sh", "#!/bin/sh\necho SEED-SAYS two\n")
            try lab.must("vm", "set", "web1", "--cloud-init", seed)
            try lab.must("vm", "wait", "web1", "--for", "agent", "--timeout", "2m")
            let restarted = try lab.must("vm", "restart", "web1", "--format", "json")
            #expect(try decode(VM.self, restarted.out).state == .running)
            try lab.awaitConsole("web1", "\nSEED-SAYS two")
            try lab.must("vm", "wait", "web1", "--for", "agent", "--timeout", "2m")
        }

        @Test func aKernelBootsDirectlyAndStopsByACPI() throws {
            let lab = try Lab.current
            let kernel = try lab.publish("\(Lab.images)/vmlinuz")
            let initrd = try lab.publish("\(Lab.images)/guest.gz")
            try lab.create(
                "kern", "--kernel", kernel, "--initrd", initrd, "--cmdline",
                "\(Lab.kernelOptions) guest.name=kern", "--network", "none")
            try lab.awaitConsole("kern", "GUEST-UP name=kern ip=none")
            try lab.must("vm", "stop", "kern")
            let started = try decode(VM.self, lab.must("vm", "start", "kern", "--format", "json").out)
            #expect(started.state == .running)
            try lab.must("vm", "stop", "kern", "--force")
            #expect(try lab.vm("kern").state == .stopped)
            try lab.remove("kern")
            #expect(lab.list(lab.pool).contains("vmlinuz"))
        }

        @Test func imagesComeFromFilesAndURLs() throws {
            let lab = try Lab.current
            let server = try Child(
                lab.vhostCommand(
                    "exec", lab.name, "python3", "-m", "http.server", "8099", "--bind", "127.0.0.1",
                    "--directory", Lab.images), environment: ["VCTL_LAB": Lab.base])
            defer {
                server.signal(SIGKILL)
                _ = server.wait(seconds: 10)
            }
            try eventually("the web server answers") {
                try lab.inside("curl", "-sSI", "http://127.0.0.1:8099/").status == 0
            }
            let sum = try Shell.must(["sha256sum", "\(Lab.images)/tiny.qcow2"]).out.prefix(64)
            try lab.must(
                "image", "import", "web", "http://127.0.0.1:8099/tiny.qcow2", "--checksum", "sha256:\(sum)")
            let image = try lab.image("web")
            #expect(image.state == .ready)
            #expect(image.checksum == "sha256:\(sum)")
            #expect(try lab.image("tiny").sizeBytes == image.sizeBytes)
            let missing = try lab.vctl("image", "import", "nope", "http://127.0.0.1:8099/nope.qcow2")
            #expect(missing.status == 1 && missing.err.contains("404"))
            try lab.must("image", "delete", "web", "--yes")
            #expect(try lab.vctl("image", "show", "web").status == 3)
        }

        @Test func imagesAreRenamedAndKeptWhileNeeded() throws {
            let lab = try Lab.current
            try lab.must("image", "import", "base", "\(Lab.images)/tiny.qcow2")
            try lab.create("needs", "--image", "base", "--linked", "--no-start")
            let refused = try lab.vctl("image", "delete", "base", "--yes")
            #expect(refused.status == 4)
            #expect(refused.err.contains("needs"))
            try lab.must("image", "rename", "base", "ground")
            #expect(try lab.vctl("image", "show", "base").status == 3)
            #expect(try lab.vm("needs").image?.name == "ground")
            try lab.remove("needs")
            try lab.must("image", "delete", "ground", "--yes")
        }

        @Test func topShowsWhatAGuestUses() throws {
            let lab = try Lab.current
            let vm = try lab.create("busy")
            try lab.create("idle", "--no-start")
            // A guest that boots uses its CPU all the time, and reads its disk.
            let out = try lab.must("vm", "top", "--once", "--interval", "1s", "--format", "json").out
            let rows = try decode([Row].self, out)
            let row = try #require(rows.first { $0.name == "busy" })
            #expect(rows.count == 1 && row.id == vm.id && row.memoryMaximumBytes == 128 << 20)
            #expect((row.cpuPercent ?? 0) > 1 && (row.memoryBytes ?? 0) > 1 << 20, "\(out)")
            try eventually("it has read its disk, and got an address") {
                let now = try decode(Statistics.self, lab.must("query", "GET", "/v1/statistics").out)
                let counters = try #require(now.vms.first { $0.name == "busy" })
                return (counters.diskReadBytes ?? 0) > 1 << 20 && (counters.networkSentBytes ?? 0) > 0
            }
            #expect(
                try lab.must("vm", "top", "--once", "--vms", "i*", "--interval", "200ms").lines.count == 1)
            try lab.remove("busy", "idle")
        }

        private struct Row: Decodable {
            var name: String
            var id: ObjectID
            var cpuPercent: Double?
            var memoryBytes: Int64?
            var memoryMaximumBytes: Int64?
        }

        @Test func everyFormatShowsTheSame() throws {
            let lab = try Lab.current
            try lab.create("fmt", "--no-start", "--label", "a=b")
            #expect(try lab.must("vm", "list", "--format", "name").lines.contains("fmt"))
            #expect(
                try lab.must("vm", "list").lines.contains { $0.hasPrefix("fmt ") && $0.contains("stopped") })
            let csv = try lab.must("vm", "list", "--format", "csv").lines
            #expect(csv.first?.hasPrefix("name,state,") == true)
            #expect(csv.contains { $0.hasPrefix("fmt,stopped,1,134217728") })
            #expect(try lab.must("vm", "show", "fmt", "--format", "yaml").lines.contains("name: fmt"))
            let raw = try lab.curl("http://vctld/v1/vms/fmt").text
            #expect(try decode(VM.self, raw) == lab.vm("fmt"))
            #expect(try lab.vms().contains { $0.name == "fmt" && $0.labels == ["a": "b"] })
            let mistyped = try lab.vctl("vm", "show", "fnt")
            #expect(mistyped.status == 3 && mistyped.err.contains("hint: did you mean fmt?"), "\(mistyped)")
            let image = try lab.vctl("vm", "create", "x", "--image", "tniy")
            #expect(image.status == 3 && image.err.contains("hint: did you mean tiny?"), "\(image)")
            try lab.remove("fmt")
        }
    }
}
