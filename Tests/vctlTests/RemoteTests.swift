// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlClient
@testable import vctl

@Suite struct SSHHostTests {
    @Test(
        arguments: [
            ("ssh://web", nil, "web", nil), ("ssh://ann@web.example:2222", "ann", "web.example", 2222),
            ("SSH://10.0.0.1/", nil, "10.0.0.1", nil), ("ssh://[fe80::1%eth0]:22", nil, "fe80::1%eth0", 22),
            ("ssh://ann@corp@web", "ann@corp", "web", nil),
        ] as [(String, String?, String, Int?)])
    func addressesAreRead(_ text: String, _ user: String?, _ host: String, _ port: Int?) throws {
        let address = try SSHHost(text)
        #expect(address.user == user && address.host == host && address.port == port)
    }

    @Test(arguments: [
        "web": "ssh://[user@]host", "ssh://": "the host is no name", "ssh://a/run/x.sock": "--socket",
        "ssh://ann:secret@a": "a password cannot", "ssh://a:0": "from 1 to 65535", "ssh://a:x": "from 1 to",
        "ssh://-oProxyCommand=x": "the host is no name", "ssh://-l@a": "the user is no name",
        "ssh://a b": "the host is no name", "ssh://fe80::1": "in brackets", "ssh://[::1": "in brackets",
        "ssh://a;id": "the host is no name", "ssh://$(id)@a": "the user is no name",
        "http://a": "ssh://[user@]host",
    ])
    func nonsenseIsNamed(_ text: String, _ reason: String) {
        do {
            _ = try SSHHost(text)
            Issue.record("\(text) was accepted")
        } catch {
            #expect(error.problem.contains(reason), "\(error.problem)")
        }
    }

    @Test func sshIsToldEverythingBeforeTheHost() throws {
        let host = try SSHHost("ssh://ann@web:2222")
        let command = host.command(socket: "/a b/x", asks: false, seconds: 9)
        #expect(command.suffix(6) == ["--", "ann@web", "vctl", "proxy", "--socket", "'/a b/x'"])
        #expect(command.contains("BatchMode=yes") && command.contains("ConnectTimeout=9"))
        #expect(command.contains("2222"))
        #expect(!host.command(socket: nil, asks: true, seconds: 9).contains("BatchMode=yes"))
    }

    @Test(arguments: ["plain", "a b", "it's", "$(id) `id` \\ \"x\" ''", ""])
    func aShellReadsTheWordBack(_ word: String) throws {
        let read = try Program.run(
            program: "/bin/sh", ["-c", "printf %s " + quotedForShell(word)], environment: [:])
        #expect(read.out == word)
    }
}

@Suite struct ProxyTests {
    /// The last word is a program that carries a connection, as `ssh` does.
    private func greeting(_ socket: String) throws -> (Carrier, Greeting?) {
        let carrier = try Carrier([Program.path, "proxy", "--socket", socket])
        return (carrier, try Greeting.read(carrier.descriptor, until: .after(seconds: 30), nil))
    }

    @Test func aConnectionIsCarriedForSeveralRequests() throws {
        let large = String(repeating: "x", count: 3 << 20)
        let server = try RawServer([[.request, json("1"), .request, json(large), .hold]])
        let (carrier, line) = try greeting(server.path)
        #expect(line == .connected)
        let both = carrier.descriptor
        let client = Client(peer: "p") { _, _ in
            Transport(input: both, output: both) { carrier.end() }
        }
        #expect(try client.send(Request(method: "GET", target: "/a")).bytes == Array("1".utf8))
        let body = String(repeating: "y", count: 1 << 20)
        let request = Request(method: "PUT", target: "/b").bytes(Array(body.utf8), as: "text/plain")
        #expect(try client.send(request).bytes.count == large.utf8.count)
        #expect(server.requests.last?.hasSuffix(body) == true)
    }

    @Test func theProxyEndsWithItsClient() throws {
        // The far side stays open, as an event stream does.
        let server = try RawServer([[.hold]])
        let (carrier, line) = try greeting(server.path)
        #expect(line == .connected)
        close(carrier.descriptor)
        #expect(carrier.status() == 0)
    }

    @Test func aDaemonThatIsAwayIsTold() throws {
        let (carrier, line) = try greeting("/nonexistent/x.sock")
        #expect(line == .refused(socket: "/nonexistent/x.sock", errno: ENOENT))
        #expect(carrier.status() == 6)
        #expect(carrier.words.contains("cannot reach vctld at /nonexistent/x.sock"))
    }

    @Test func whatALoginShellSaysIsPassedOver() throws {
        let noise = "echo Welcome; printf 'no end'; exec \(Program.path) proxy --socket /nonexistent/x"
        let carrier = try Carrier(["sh", "-c", noise])
        defer { carrier.end() }
        let line = try Greeting.read(carrier.descriptor, until: .after(seconds: 30), nil)
        #expect(line == .refused(socket: "/nonexistent/x", errno: ENOENT))
    }

    /// A script on a console has said all, and wants to see what comes of it.
    @Test func whoHasSaidAllStillListens() throws {
        let server = try RawServer([[.request, .silence(seconds: 4), .send("late")]])
        let (carrier, line) = try greeting(server.path)
        defer { carrier.end() }
        #expect(line == .connected)
        let words = Array("GET / HTTP/1.1\r\n\r\n".utf8)
        #expect(write(carrier.descriptor, words, words.count) == words.count)
        shutdown(carrier.descriptor, Int32(SHUT_WR))
        var heard = [UInt8](repeating: 0, count: 100)
        #expect(read(carrier.descriptor, &heard, heard.count) == 4)
        #expect(read(carrier.descriptor, &heard, heard.count) == 0)
        #expect(carrier.status() == 0)
    }

    /// It says no more, and does not end; the other one does not even heed being told to.
    @Test(arguments: [("", SIGTERM), ("trap '' TERM; ", SIGKILL)])
    func whatDoesNotEndIsEnded(_ trap: String, _ signal: Int32) throws {
        let carrier = try Carrier(["sh", "-c", trap + "exec sleep 600 <&- >&-"])
        #expect(try Greeting.read(carrier.descriptor, until: .after(seconds: 30), nil) == nil)
        #expect(carrier.status() == 128 + signal)
        carrier.end()
    }

    @Test func anSSHThatHangsIsNoReasonToHang() throws {
        let list = try Folder.withSSH("trap '' TERM\nexec sleep 600 <&- >&-") { path in
            try Program.run(["list", "--host", "ssh://web"], environment: ["PATH": path])
        }
        #expect(list.status == 6 && list.err.contains("ssh://web"), "\(list)")
    }

    @Test func aProgramThatIsNotThereIsNamed() {
        #expect(throws: ClientError.noProgram("no-such-program", errno: ENOENT)) {
            try Carrier(["no-such-program"])
        }
    }

    @Test func aWrongHostIsAUsageError() throws {
        let flag = try Program.run(["list", "--host", "web"])
        #expect(flag.status == 64 && flag.err.contains("ssh://[user@]host"), "\(flag.err)")
        let variable = try Program.run(["list"], environment: ["VCTL_HOST": "ssh://a:b@c"])
        #expect(variable.status == 64 && variable.err.contains("a password cannot be given"))
    }
}
