// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// Each bad input gets a clear error that names what was wrong, changes nothing, and leaves the daemon
    /// serving.
    @Suite(.hosted("bad"))
    struct BadInput {
        @Test(arguments: [
            "a/b", "..", ".", "a b", "a\u{1}b", "a\nb", "", "-x", "ä", String(repeating: "a", count: 10_000),
        ])
        func names(_ name: String) throws {
            try unchanged { lab in
                for command in [["vm", "create", "--image", "tiny"], ["image", "rename", "tiny"]] {
                    let outcome = try lab.run(command + ["--", name])
                    #expect(outcome.status == 64, "\(outcome)")
                    #expect(outcome.err.hasPrefix("error: ") && outcome.err.contains("name"), "\(outcome)")
                    #expect(outcome.err.utf8.count < 2000)
                }
                let reply = try post(lab, "/v1/vms", jsonText(["name": name, "image": "tiny"]))
                #expect(reply.head.status == 400)
                #expect(reply.problem?.errors?.first?.field == "name")
            }
        }

        @Test(arguments: ["0", "-1", "10E", "1e400", "x", ""])
        func sizes(_ size: String) throws {
            try unchanged { lab in
                for flag in ["--memory", "--disk"] {
                    let outcome = try lab.vctl("vm", "create", "x", "--image", "tiny", "\(flag)=\(size)")
                    #expect(outcome.status == 64 && outcome.err.contains(flag), "\(outcome)")
                }
            }
        }

        @Test(arguments: [
            "{", "[]", "\"x\"", "{}", #"{"name":null}"#, #"{"name":"x","bogus":1}"#,
            #"{"name":"x","name":"y"}"#,
            #"{"name":"x","cpus":1e99}"#, #"{"name":"x","cpus":0}"#, #"{"name":"x","memoryBytes":-5}"#,
            #"{"name":"x","memoryBytes":11529215046068469760}"#, "\u{0}", "<vm><name>x</name></vm>",
        ])
        func bodies(_ body: String) throws {
            try unchanged { lab in
                let reply = try post(lab, "/v1/vms", body)
                #expect(reply.head.status == 400)
                #expect(reply.problem?.detail.isEmpty == false)
            }
        }

        @Test func nestingAndSize() throws {
            try unchanged { lab in
                let nested = try post(lab, "/v1/vms", String(repeating: "[", count: 100_000))
                #expect(nested.head.status == 400)
                let file = "\(lab.files)/100M"
                try Shell.must(["truncate", "-s", "100M", file])
                let large = try lab.curl(
                    "-X", "POST", "-H", "Content-Type: application/json", "--data-binary", "@\(file)",
                    "http://vctld/v1/vms")
                #expect(large.out.contains("request.tooLarge"), "\(large)")
            }
        }

        @Test(arguments: [
            "#cloud-config\nusers: [a: b\n", "{\"a\":", "<a><b></a>", YAMLBomb.text, "#cloud-config\n\u{1}",
        ])
        func cloudInit(_ text: String) throws {
            try unchanged { lab in
                let file = try lab.write("user-data", text)
                let outcome = try lab.vctl("vm", "create", "x", "--image", "tiny", "--cloud-init", file)
                #expect(outcome.status == 64 && outcome.err.contains("cloudInit"), "\(outcome)")
            }
        }

        @Test func cutOffAndDependentImages() throws {
            try unchanged { lab in
                let source = "\(Lab.images)/tiny.qcow2"
                let short = "\(lab.files)/short.qcow2"
                try Shell.must(["head", "-c", "1000000", source].shell(to: short))
                try refusedImport(lab, short, "(image.corrupt)")
                let layered = "\(lab.files)/layered.qcow2"
                try Shell.must([
                    "qemu-img", "create", "-q", "-f", "qcow2", "-b", source, "-F", "qcow2", layered,
                ])
                try refusedImport(lab, layered, "(image.backingFile)")
                let external = "\(lab.files)/external.qcow2"
                let data = "data_file=\(lab.files)/data.raw"
                try Shell.must(["qemu-img", "create", "-q", "-f", "qcow2", "-o", data, external, "10M"])
                try refusedImport(lab, external, "(image.backingFile)")
                let wrong = "sha256:" + String(repeating: "0", count: 64)
                try refusedImport(lab, source, "(image.checksum)", "--checksum", wrong)
                try refusedImport(
                    lab, try lab.write("junk", "no qcow2"), "(image.format)", "--source-format", "qcow2")
            }
        }

        @Test func anImageThatChangesWhileItIsImported() throws {
            try unchanged { lab in
                let file = "\(lab.files)/growing.raw"
                try Shell.must(["head", "-c", "900M", "/dev/urandom"].shell(to: file))
                let importing = try Child(
                    ["\(Lab.build)/vctl", "image", "import", "growing", file],
                    environment: ["VCTL_SOCKET": lab.socket])
                try eventually("the upload has begun") {
                    try lab.must("image", "list", "--format", "name").lines.contains("growing")
                }
                try Shell.must(["sh", "-c", "echo more >>'\(file)'"])
                let status = try #require(importing.wait(seconds: 120))
                let outcome = importing.outcome(status: status)
                #expect(status != 0 && outcome.err.contains("chang"), "\(outcome)")
                try FileManager.default.removeItem(atPath: file)
            }
        }

        @Test func aFullDisk() throws {
            try unchanged { lab in
                #expect(try lab.inside("mkdir", "/srv/full").status == 0)
                try withTmpfs(lab, "/srv/full") {
                    try lab.must("pool", "create", "full", "--type", "dir", "--target", "/srv/full")
                    let outcome = try lab.vctl(
                        "vm", "create", "x", "--image", "tiny", "--full", "--no-start", "--disk",
                        "128M,pool=full")
                    #expect(outcome.status == 1 && outcome.err.contains("(storage.full)"), "\(outcome)")
                    #expect(try lab.inside("ls", "/srv/full").out == "")
                    try lab.must("pool", "delete", "full", "--yes")
                }
                #expect(try lab.inside("rmdir", "/srv/full").status == 0)
                try withTmpfs(lab, "/var/lib/vctld/incoming") {
                    let source = "\(Lab.images)/tiny.qcow2"
                    try refusedImport(lab, source, "(storage.full)")
                    #expect(try lab.inside("ls", "/var/lib/vctld/incoming").out == "")
                }
            }
        }

        private func withTmpfs(_ lab: Lab, _ folder: String, _ body: () throws -> Void) throws {
            #expect(try lab.inside("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder).status == 0)
            defer { _ = try? lab.inside("umount", folder) }
            try body()
        }

        private func refusedImport(_ lab: Lab, _ file: String, _ code: String, _ more: String...) throws {
            let outcome = try lab.run(["image", "import", "bad", file] + more)
            #expect(outcome.status == 1 && outcome.err.contains(code), "\(outcome)")
        }

        /// Runs `body`, and compares everything there is before and after.
        private func unchanged(_ body: (Lab) throws -> Void) throws {
            let lab = try Lab.current
            let before = try picture(lab)
            try body(lab)
            let after = try picture(lab)
            #expect(after == before, "\(Array(after.difference(from: before)))")
        }

        private func picture(_ lab: Lab) throws -> [String] {
            try lab.vms().map(\.name) + lab.must("image", "list", "--format", "name").lines + lab.domains()
                + lab.list(lab.pool) + lab.list("\(lab.state)/images") + lab.list("\(lab.state)/incoming")
                + lab.list("\(lab.state)/seeds") + lab.list("\(lab.state)/objects/image")
        }

        private func post(_ lab: Lab, _ path: String, _ body: String) throws -> Reply {
            let request = Request(method: "POST", target: path)
            return try lab.client().exchange(request.bytes(Array(body.utf8), as: "application/json"))
        }
    }
}

extension RealGuests {
    /// Clients that take and do not give.
    @Suite(.hosted("greedy"))
    struct GreedyClients {
        @Test func idleConnections() throws {
            let lab = try Lab.current
            let idle = try (0..<200).map { _ in
                try UnixSocket.connect(lab.socket, until: .after(seconds: 30), nil)
            }
            defer { for transport in idle { close(transport.input) } }
            for _ in 0..<20 {
                #expect(try lab.client().send(Request(method: "GET", target: "/v1/vms")).head.status == 200)
            }
            try lab.create("beside", "--no-start")
            try lab.remove("beside")
        }

        @Test func clientsThatNeverRead() throws {
            let lab = try Lab.current
            try lab.create("loud", "--network", "none")
            let clients = (0..<4).map { _ in lab.client() }
            let streams = try clients.enumerated().map { index, client in
                let target = index % 2 == 0 ? "/v1/events?since=0" : "/v1/vms/loud/console/log?follow"
                return try client.open(Request(method: "GET", target: target))
            }
            #expect(streams.allSatisfy { $0.0.status == 200 })
            let client = lab.client()
            for number in 0..<300 {
                let text = String(repeating: "x", count: 1000)
                let patch = try jsonText(["description": "\(number) \(text)"])
                let request = Request(method: "PATCH", target: "/v1/vms/loud")
                let bytes = Array(patch.utf8)
                _ = try client.send(request.bytes(bytes, as: "application/merge-patch+json"))
            }
            #expect(try lab.vm("loud").description?.hasPrefix("299 ") == true)
            try lab.must("vm", "stop", "loud", "--force")
            try lab.remove("loud")
            withExtendedLifetime((clients, streams)) {}
        }
    }
}

/// A flat JSON object.
private func jsonText(_ members: [String: String]) throws -> String {
    String(decoding: try JSONEncoder().encode(members), as: UTF8.self)
}

/// Nine levels of nine aliases: half a billion values once they are followed.
enum YAMLBomb {
    static let text = "#cloud-config\na: &a [x, x, x, x, x, x, x, x, x]\n" + levels.joined()

    private static let levels = zip("abcdefgh", "bcdefghi").map { below, name in
        "\(name): &\(name) [" + Array(repeating: "*\(below)", count: 9).joined(separator: ", ") + "]\n"
    }
}
