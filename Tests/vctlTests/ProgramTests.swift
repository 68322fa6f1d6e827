// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing

@Suite struct ProgramTests {
    @Test func theListIsATable() throws {
        let server = try RawServer([[.request, json("[\(vm())]")]])
        let result = try Program.run(["list"], socket: server.path)
        #expect(
            result.out == """
                NAME  STATE    CPUS  MEMORY  ADDRESSES  IMAGE  PENDING
                web1  running     2   2 GiB  192.0.2.7  -      -

                """)
        #expect(result.status == 0 && result.err.isEmpty)
        #expect(
            server.requests[0].hasPrefix(
                "GET /v1/vms?fields=name%2Cstate%2Ccpus%2CmemoryBytes%2Cnics%2Cimage%2Cpending HTTP"))
    }

    @Test func jsonIsTheDaemonsOwn() throws {
        let odd = #"[ {"name" : "a", "new":1.50} ]"#
        let server = try RawServer([[.request, json(odd)]])
        #expect(try Program.run(["vm", "list", "-f", "json"], socket: server.path).out == odd + "\n")
    }

    @Test func pagesAreJoined() throws {
        let link = "Link: </v1/vms?after=a>; rel=\"next\"\r\n"
        let server = try RawServer([
            [.request, json(#"[{"name":"a"}]"#, headers: link), .request, json(#"[{"name":"b"}]"#)]
        ])
        let result = try Program.run(["vm", "list", "--format", "json"], socket: server.path)
        #expect(result.out == #"[{"name":"a"},{"name":"b"}]"# + "\n")
    }

    @Test func aGlobChooses() throws {
        let server = try RawServer([[.request, json(#"[{"name":"web1"},{"name":"db1"}]"#)]])
        let result = try Program.run(["vm", "list", "--vms", "web*", "-f", "name"], socket: server.path)
        #expect(result.out == "web1\n")
    }

    @Test func anOldViewIsToldOf() throws {
        let headers = "Vctl-Libvirt: disconnected\r\nVctl-Observed-At: 2026-01-31T08:15:00.250Z\r\n"
        let server = try RawServer([[.request, json("[]", headers: headers)]])
        let result = try Program.run(["list", "-f", "name"], socket: server.path)
        #expect(result.status == 0 && result.out.isEmpty)
        #expect(result.err.hasPrefix("warning: libvirt is not connected; this is how things were "))
    }

    @Test func csvAndYAML() throws {
        let server = try RawServer([[.request, json("[\(vm())]")], [.request, json("[\(vm())]")]])
        let csv = try Program.run(
            ["list", "-f", "csv", "--columns", "name,memoryBytes,addresses"], socket: server.path)
        #expect(csv.out == "name,memoryBytes,addresses\r\nweb1,2147483648,192.0.2.7\r\n")
        let yaml = try Program.run(["list", "-f", "yaml"], socket: server.path)
        #expect(yaml.out.hasPrefix("- id: \"\(vmID)\"\n  name: web1\n  state: running\n"))
    }

    @Test func createFollowsAndPrints() throws {
        let server = try RawServer([
            [
                .request, json(operation("running"), status: "202 Accepted"), .request,
                json(operation("running")), .request,
                json(operation("succeeded", warnings: "\"slow\"")), .request, json(vm()),
            ]
        ])
        let result = try Program.run(["vm", "create", "web1", "--strict", "-f", "name"], socket: server.path)
        #expect(result.out == "web1\n" && result.err == "warning: slow\n" && result.status == 8)
        #expect(server.requests[0].contains("Idempotency-Key: "))
        #expect(server.requests[1].hasPrefix("GET /v1/operations/\(operationID)/wait?timeout="))
    }

    @Test func noWaitPrintsTheOperation() throws {
        let server = try RawServer([[.request, json(operation("pending"), status: "202 Accepted")]])
        let result = try Program.run(["vm", "start", "web1", "--no-wait", "-f", "json"], socket: server.path)
        #expect(result.out == operation("pending") + "\n" && result.status == 0)
    }

    @Test func aFailedOperationIsOne() throws {
        let error =
            #","error":{"type":"t","title":"t","status":409,"detail":"no space","code":"storage.full"}"#
        let server = try RawServer([
            [
                .request, json(operation("running"), status: "202 Accepted"), .request,
                json(operation("failed", extra: error)),
            ]
        ])
        let result = try Program.run(["vm", "create", "web1"], socket: server.path)
        #expect(result.status == 1 && result.out.isEmpty)
        #expect(result.err == "error: no space (storage.full)\nhint: vctl operation show \(operationID)\n")
    }

    @Test func aStuckOperationSaysHowToGoOn() throws {
        let server = try RawServer([
            [
                .request, json(operation("running"), status: "202 Accepted"), .request,
                json(operation("stuck")),
            ]
        ])
        let result = try Program.run(["vm", "create", "web1"], socket: server.path)
        #expect(result.status == 1 && result.err.contains("hint: vctl operation retry \(operationID)"))
    }

    @Test func conditionsAreAskedUntilTheyHold() throws {
        let outcome = { (met: Bool) in #"{"condition":"ip","met":\#(met),"vm":\#(vm())}"# }
        let server = try RawServer([
            [
                .request, json(operation("succeeded"), status: "202 Accepted"), .request,
                json(operation("succeeded")),
                .request, json(outcome(false)), .request, json(outcome(true)), .request, json(vm()),
            ]
        ])
        let result = try Program.run(
            ["vm", "create", "web1", "--wait-for", "ip", "-f", "name"], socket: server.path)
        #expect(result.out == "web1\n" && result.status == 0, "\(result.err)")
        #expect(server.requests[3].contains(#""condition":"ip""#))
        #expect(server.requests[3].hasPrefix("POST /v1/vms/web1/actions/wait HTTP"))
    }

    @Test func aTimeoutLeavesTheOperation() throws {
        let server = try RawServer([
            [.request, json(operation("running"), status: "202 Accepted"), .request, .hold]
        ])
        let result = try Program.run(["vm", "create", "web1", "--timeout", "100ms"], socket: server.path)
        #expect(result.status == 7)
        #expect(result.err.contains("operation \(operationID) (vm.create web1) goes on (client.timeout)"))
    }

    @Test func controlCLeavesTheOperation() throws {
        let server = try RawServer([
            [.request, json(operation("running"), status: "202 Accepted"), .request, .hold]
        ])
        let (process, pipes) = try Program.start(["vm", "create", "web1"], socket: server.path)
        let limit = Date(timeIntervalSinceNow: 20)
        while server.requests.count < 2, Date() < limit { usleep(2000) }
        kill(process.processIdentifier, SIGINT)
        let result = Program.finish(process, pipes)
        #expect(result.status == 130)
        #expect(result.err.contains("operation \(operationID) (vm.create web1) goes on (client.interrupted)"))
    }

    @Test func allNamesAreTried() throws {
        let server = try RawServer([
            [
                .request, problem(404, "vm.notFound"), .request, problem(409, "vm.busy"), .request,
                json(operation("succeeded"), status: "202 Accepted"), .request, json(operation("succeeded")),
                .request,
                json(vm()),
            ]
        ])
        let result = try Program.run(["vm", "stop", "a", "b", "c", "-f", "json"], socket: server.path)
        #expect(result.status == 3 && result.out == "[\(vm())]\n")
        #expect(result.err == "error: it is so (vm.notFound)\nerror: it is so (vm.busy)\n")
    }

    @Test func deleteWantsToBeConfirmed() throws {
        let refused = try Program.run(["vm", "delete", "web1"])
        #expect(refused.status == 64 && refused.err.contains("(usage.confirm)\nhint: add --yes\n"))
        let server = try RawServer([[.request, problem(404, "vm.notFound")]])
        let gone = try Program.run(["vm", "delete", "web1", "--yes", "--if-exists"], socket: server.path)
        #expect(gone.status == 0 && gone.out.isEmpty)
    }

    @Test func whatExistsIsNoError() throws {
        let server = try RawServer([[.request, problem(409, "vm.exists"), .request, json(vm())]])
        let result = try Program.run(
            ["vm", "create", "web1", "--if-not-exists", "-f", "json"], socket: server.path)
        #expect(result.status == 0 && result.out == vm() + "\n")
    }

    @Test func aDryRunShowsWhatWouldBe() throws {
        let preview = #"{"action":"vm.create","target":"web1","changes":["make disk"],"warnings":["TCG"]}"#
        let server = try RawServer([[.request, json(preview)]])
        let result = try Program.run(["vm", "create", "web1", "--dry-run"], socket: server.path)
        #expect(result.out == "vm.create web1 would:\n  make disk\n" && result.err == "warning: TCG\n")
        #expect(server.requests[0].hasPrefix("POST /v1/vms?dryRun=true HTTP"))
        #expect(!server.requests[0].contains("Idempotency-Key"))
    }

    @Test func nobodyThere() throws {
        let result = try Program.run(["list"])
        #expect(result.status == 6 && result.out.isEmpty)
        #expect(result.err.hasPrefix("error: cannot reach vctld at /nonexistent/vctld.sock: No such file"))
        #expect(result.err.contains("\nhint: systemctl start vctld"))
    }

    @Test func aClosedSocketIsDenied() throws {
        guard getuid() == 0 else { return }
        let server = try RawServer([])
        chmod(server.path, 0o600)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setpriv")
        process.arguments = [
            "--reuid=65534", "--regid=65534", "--clear-groups", Program.path, "list", "--socket", server.path,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 5)
    }

    @Test func aQueryIsRaw() throws {
        let server = try RawServer([[.request, json("{}")], [.request, problem(404, "request.path")]])
        let sent = try Program.run(
            ["query", "post", "/v1/vms", "--input", "-"], socket: server.path, input: "{\"a\":1}")
        #expect(sent.out == "{}\n" && server.requests[0].hasSuffix("\r\n\r\n{\"a\":1}"))
        let refused = try Program.run(["query", "GET", "/v1/x"], socket: server.path)
        #expect(
            refused.status == 3 && refused.out.hasPrefix("{\"type\"")
                && refused.err.contains("(request.path)"))
    }

    @Test func anImageIsUploaded() throws {
        let path = "/tmp/vctl-test-\(UUID().uuidString)"
        try "content".write(toFile: path, atomically: false, encoding: .utf8)
        defer { unlink(path) }
        let image =
            #"{"id":"\#(vmID)","name":"deb","state":"uploading","labels":{},"protected":false,"usedBy":[],"#
            + #""createdAt":"2026-01-31T08:15:00.250Z"}"#
        let server = try RawServer([
            [
                .request, json(image, status: "201 Created"), .request,
                json(operation("running"), status: "202 Accepted"),
            ]
        ])
        let result = try Program.run(
            ["image", "import", "deb", path, "--no-wait", "-f", "name"], socket: server.path)
        #expect(result.out == "\(operationID)\n", "\(result.err)")
        #expect(server.requests[0].contains(#""sizeBytes":7"#))
        #expect(server.requests[1].hasPrefix("PUT /v1/images/\(vmID)/content HTTP"))
        #expect(server.requests[1].hasSuffix("\r\n\r\ncontent"))
    }

    @Test func theConsoleTakesAPipe() throws {
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nVctl-Session: x\r\n\r\nlogin"
        let server = try RawServer([[.request, .send(head), .hold]])
        let (process, pipes) = try Program.start(
            ["console", "web1", "--timeout", "300ms"], socket: server.path)
        let result = Program.finish(process, pipes)
        #expect(result.out == "login" && result.status == 7)
        #expect(server.requests[0].hasPrefix("POST /v1/vms/web1/actions/console?tail=4096 HTTP"))
        #expect(server.requests[0].contains("\r\nUpgrade: vctl-stream\r\n"))
    }

    @Test(arguments: [("vm.state", 0), ("console.taken", 4), ("console.overrun", 1), ("unknown", 6)])
    func theEndOfAConsoleHasAReason(code: String, status: Int32) throws {
        let session = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
        let head = "HTTP/1.1 101 Switching Protocols\r\nVctl-Session: \(session)\r\n\r\nbytes"
        let other = "6ba7b810-9dad-41d1-80b4-00c04fd430c9"
        let ends = [(other, "console.busy"), (code == "unknown" ? other : session, code)].map {
            #"{"session":"\#($0)","code":"\#($1)","detail":"because","at":"2026-01-01T00:00:00Z"}"#
        }
        let body = #"{"readers":0,"ended":[\#(ends.joined(separator: ","))]}"#
        let server = try RawServer([[.request, .send(head)], [.request, json(body)]])
        let result = try Program.run(["console", "web1", "--force"], socket: server.path)
        #expect(result.out == "bytes" && result.status == status, "\(result.err)")
        #expect(result.err.contains("because") == (code != "unknown"))
        #expect(server.requests[0].contains("&force=true "))
    }

    @Test(arguments: [
        ["--follow"], ["--raw"], ["--log", "--force"], ["--log", "--send-size"], ["--read-only", "--force"],
        ["--send-size"], ["--escape", "ab"], ["--escape", ""],
    ])
    func consoleFlagsThatMakeNoSense(flags: [String]) throws {
        let result = try Program.run(["console", "web1"] + flags)
        #expect(result.status == 64, "\(result.err)")
    }

    @Test func helpAndVersionAreNoErrors() throws {
        #expect(try Program.run(["--help"]).status == 0)
        #expect(try Program.run(["vm", "create", "--help"]).out.contains("--wait-for"))
        #expect(try Program.run(["--version"]).out == "0.1.0\n")
        #expect(try Program.run(["version", "--client"]).out == "vctl  0.1.0\n")
        for shell in ["bash", "zsh", "fish"] {
            #expect(try Program.run(["completion", shell]).out.count > 1000)
        }
    }
}
