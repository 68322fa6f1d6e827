// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// Serial consoles of real guests.
    @Suite(.hosted("console"))
    struct Consoles {
        private func join(_ lab: Lab, _ vm: String, _ query: [(String, String)] = []) throws -> JoinedConsole
        {
            let query = [("tail", "0")] + query
            let request = Request(Endpoints.named("vm.console"), [vm], query: query)
            return JoinedConsole(try lab.client().upgrade(request, to: Wire.stream))
        }

        private func status(_ lab: Lab, _ vm: String) throws -> ConsoleStatus {
            try lab.client().send(Request(Endpoints.named("vm.console.show"), [vm])).decoded()
        }

        private func refusal(_ body: () throws -> Void) -> Problem? {
            do {
                try body()
                return nil
            } catch {
                return error as? Problem
            }
        }

        @Test func oneTypesAndAllSee() throws {
            let lab = try Lab.current
            try lab.create("con1", "--network", "none")
            try lab.awaitConsole("con1", "GUEST-UP name=con1")
            let writer = try join(lab, "con1")
            let watchers = try (0..<3).map { _ in try join(lab, "con1", [("readOnly", "true")]) }
            let second = refusal { _ = try join(lab, "con1") }
            #expect(second?.errorCode == .consoleBusy && second?.hint?.contains("--force") == true)
            let input = refusal {
                let request = Request(Endpoints.named("vm.console.input"), ["con1"])
                _ = try lab.client().send(request.bytes([0x0D], as: "application/octet-stream"))
            }
            #expect(input?.errorCode == .consoleBusy)
            let virsh = try lab.inside(
                "sh", "-c", "script -qc 'virsh console con1 --safe' /dev/null </dev/null")
            #expect(virsh.out.contains("Active console session exists"), "\(virsh)")
            #expect(try status(lab, "con1").readers == 3)
            try writer.type("echo al\"\"l-$((6*7))\r")
            for channel in [writer] + watchers {
                _ = try channel.read(until: "all-42")
            }
            try takeOver(lab, writer, watchers[0])
            try lab.must("vm", "stop", "con1", "--force")
            for channel in watchers { try channel.readToEnd() }
            let off = refusal { _ = try join(lab, "con1") }
            #expect(off?.errorCode == .vmState)
            try lab.remove("con1")
        }

        private func takeOver(_ lab: Lab, _ writer: JoinedConsole, _ watcher: JoinedConsole) throws {
            let taker = try join(lab, "con1", [("force", "true")])
            try writer.readToEnd()
            let end = try #require(
                status(lab, "con1").ended.first { $0.session.rawValue == writer.session })
            #expect(end.code == "console.taken")
            try taker.type("echo tak\"\"en-$((40+2))\r")
            _ = try taker.read(until: "taken-42")
            _ = try watcher.read(until: "taken-42")
            taker.channel.finishWriting()
            try eventually("who has said all is the writer no longer") {
                try status(lab, "con1").writer == nil
            }
            _ = try join(lab, "con1")
        }

        /// What the guest prints arrives byte by byte as it was, while one reader reads nothing at all.
        @Test func nothingIsLostOrDoubled() throws {
            let lab = try Lab.current
            try lab.create("con2", "--network", "none")
            try lab.awaitConsole("con2", "GUEST-UP name=con2")
            let writer = try join(lab, "con2")
            let idle = try join(lab, "con2", [("readOnly", "true")])
            try writer.type(
                "stty -onlcr -echo; dd if=/dev/urandom bs=4096 count=900 2>/dev/null | base64 >/tmp/r; "
                    + "echo BE\"\"GIN; cat /tmp/r; echo EN\"\"D-MARK; sha256sum </tmp/r\r")
            _ = try writer.read(until: "BEGIN\n")
            let bytes = try writer.read(until: "END-MARK\n", seconds: 400)
            let sum = String(decoding: try writer.read(until: " -"), as: UTF8.self)
            let body = bytes.dropLast(9)
            #expect(body.count > 4_900_000)
            let path = try lab.write("body", String(decoding: body, as: UTF8.self))
            #expect(try Shell.must(["sha256sum", path]).out.prefix(64) == sum.prefix(64))
            #expect(try status(lab, "con2").writer != nil, "a slow reader is nobody else's trouble")
            withExtendedLifetime(idle) {}
            try rotated(lab)
            try lab.remove("con2")
        }

        /// virtlogd keeps 2 MiB and three older parts of it.
        private func rotated(_ lab: Lab) throws {
            let names = lab.list("\(lab.state)/console").filter { $0.contains(".log.") }
            #expect(names.count >= 2, "\(names)")
            let all = try lab.must("vm", "console", "con2", "--log").out
            #expect(all.utf8.count > 4_000_000)
            let tail = try lab.must("vm", "console", "con2", "--log", "--tail", "3M").out
            #expect(tail.utf8.count == 3 << 20 && all.hasSuffix(tail))
        }

        @Test func theConsoleOfAForeignVMNeedsNoLog() throws {
            let lab = try Lab.current
            let kernel = try lab.publish("\(Lab.images)/vmlinuz")
            let initrd = try lab.publish("\(Lab.images)/guest.gz")
            let xml = try lab.write(
                "alien.xml",
                """
                <domain type='qemu'><name>alien</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
                <os><type arch='x86_64' machine='q35'>hvm</type><kernel>\(kernel)</kernel>
                <initrd>\(initrd)</initrd><cmdline>\(Lab.kernelOptions) guest.ip=none</cmdline></os>
                <features><acpi/></features><cpu mode='maximum'/>
                <devices><serial type='pty'/><console type='pty'/></devices></domain>
                """)
            try lab.virsh("define", xml)
            try lab.virsh("start", "alien")
            defer { _ = try? lab.inside("sh", "-c", "virsh destroy alien; virsh undefine alien") }
            try eventually("it is seen") { try lab.vctl("vm", "show", "alien").status == 0 }
            let log = try lab.vctl("vm", "console", "alien", "--log")
            #expect(log.status == 4 && log.err.contains("vm.noConsole"))
            let watcher = try join(lab, "alien", [("readOnly", "true")])
            let writer = try join(lab, "alien")
            _ = try watcher.read(until: "GUEST-UP")
            try writer.type("echo al\"\"ien-$((6*7))\r")
            _ = try writer.read(until: "alien-42")
            _ = try watcher.read(until: "alien-42")
            try lab.virsh("destroy", "alien")
            for channel in [watcher, writer] { try channel.readToEnd() }
            let ended = try status(lab, "alien").ended
            #expect(ended.count == 2 && ended.allSatisfy { $0.code == "vm.state" }, "\(ended)")
        }

        /// libvirtd reads no more of a connection on which so much waits for a guest.
        @Test func aGuestThatTakesNothingHoldsUpNobody() throws {
            let lab = try Lab.current
            try lab.create("con4", "--network", "none")
            try lab.awaitConsole("con4", "GUEST-UP name=con4")
            try lab.must("vm", "pause", "con4")
            let script = String(repeating: String(repeating: "x", count: 63) + "\n", count: 1 << 14)
            let typing = try Child(
                ["\(Lab.build)/vctl", "console", "con4"], input: script,
                environment: ["VCTL_SOCKET": lab.socket])
            try eventually("it types") { try status(lab, "con4").writer != nil }
            // What libvirt and the pty take at once is with them by then.
            sleep(3)
            for number in 0..<3 {
                _ = try lab.must(
                    "vm", "create", "con5-\(number)", "--image", "tiny", "--memory", "128M", "--no-start",
                    seconds: 20)
            }
            #expect(try lab.must("vm", "xml", "con4", seconds: 20).out.contains("<name>con4</name>"))
            typing.signal(SIGKILL)
            _ = typing.wait(seconds: 10)
            try eventually("it has left") { try status(lab, "con4").writer == nil }
            // libvirtd 11.3 stops answering when a terminal goes away under what was typed: the shell shall
            // have taken all of it.
            try lab.must("vm", "resume", "con4")
            let after = try join(lab, "con4")
            _ = try after.read(until: "not found")
            try after.type("\recho al\"\"l-$((6*7))\r")
            _ = try after.read(until: "all-42")
            try lab.remove("con4", "con5-0", "con5-1", "con5-2")
        }

        @Test func theDaemonsStopEndsTheStreamAndNotTheGuest() throws {
            let lab = try Lab.current
            try lab.create("con3", "--network", "none")
            try lab.awaitConsole("con3", "GUEST-UP name=con3")
            let writer = try join(lab, "con3")
            let console = try Child(
                ["\(Lab.build)/vctl", "console", "con3", "--read-only"],
                environment: ["VCTL_SOCKET": lab.socket])
            try eventually("it watches") { try status(lab, "con3").readers == 1 }
            try lab.stopDaemon()
            try writer.readToEnd()
            #expect(console.wait(seconds: 60) == 6)
            try lab.startDaemon()
            try join(lab, "con3").type("echo ba\"\"ck-$((6*7))\r")
            try lab.awaitConsole("con3", "back-42")
            try lab.remove("con3")
        }
    }
}

/// One end of a console.
private final class JoinedConsole {
    let channel: ByteChannel
    /// What has come and was not asked for yet.
    private var pending: [UInt8] = []

    init(_ channel: ByteChannel) { self.channel = channel }

    /// As the daemon names it.
    var session: String? { channel.head[Wire.session] }

    /// Types all of it, reading nothing meanwhile.
    func type(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            _ = try Poll.wait([.writable(channel.output)], until: .after(seconds: 60), nil)
            rest = rest.dropFirst(try #require(channel.write(rest)))
        }
    }

    /// All up to and with a text.
    func read(until mark: String, seconds: Double = 120) throws -> [UInt8] {
        let deadline = Deadline.after(seconds: seconds)
        let mark = Data(mark.utf8)
        var searched = 0
        while true {
            let unseen = Data(pending[searched...])
            if let found = unseen.range(of: mark) {
                let end = searched + found.upperBound
                defer { pending.removeFirst(end) }
                return Array(pending[..<end])
            }
            searched = max(0, pending.count - mark.count)
            pending += try #require(try channel.read(until: deadline), "the console ended")
        }
    }

    /// Waits for the end.
    func readToEnd() throws { while try channel.read(until: .after(seconds: 60)) != nil {} }
}
