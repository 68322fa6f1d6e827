// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// TAPs on a host whose kernel is real.
    @Suite(.hosted("taps"))
    struct TAPs {
        /// Reads nothing and writes nothing; says when it has the TAP open, and ends with its input.
        private static let opener = """
            import fcntl, struct, sys
            tap = open("/dev/net/tun", "r+b", buffering=0)
            fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x5002))
            print("open", flush=True)
            sys.stdin.read()
            """

        @Test func itsOwnerOpensItAndNobodyElse() throws {
            let lab = try Lab.current
            try lab.inside("ip", "link", "add", "br7", "type", "bridge")
            let made = try tap(lab, "create", "own0", "--owner", "daemon", "--bridge", "br7")
            #expect(made.managed && made.owner == "daemon" && made.bridge == "br7" && made.up && !made.inUse)
            let detail = try lab.inside("ip", "-d", "link", "show", "own0").out
            #expect(detail.contains("vnet_hdr on") && detail.contains("user daemon"), "\(detail)")
            #expect(detail.contains("alias vctl:") && detail.contains("master br7"), "\(detail)")
            let others = try lab.inside(
                "setpriv", "--reuid=games", "--clear-groups", "/usr/bin/python3", "-c", Self.opener, "own0")
            #expect(others.status == 1 && others.err.contains("Operation not permitted"), "\(others)")
            let owner = try lab.inside(
                "setpriv", "--reuid=daemon", "--clear-groups", "/usr/bin/python3", "-c", Self.opener, "own0")
            #expect(owner.out == "open\n", "\(owner)")
            try lab.must("tap", "delete", "own0", "--yes")
            #expect(try lab.inside("ip", "link", "show", "own0").status == 1)
            try lab.inside("ip", "link", "delete", "br7")
        }

        @Test func whatIsOpenIsRefusedWithItsProcess() throws {
            let lab = try Lab.current
            try lab.must("tap", "create", "busy0")
            let script = try lab.write(
                "hold.py",
                Self.opener.replacingOccurrences(of: "sys.stdin.read()", with: "import time; time.sleep(600)")
            )
            let holder = try Child(
                lab.vhostCommand("exec", lab.name, "/usr/bin/python3", script, "busy0"),
                environment: ["VCTL_LAB": Lab.base])
            defer {
                holder.signal(9)
                _ = holder.wait(seconds: 30)
            }
            try eventually("it is open") { try tap(lab, "show", "busy0").inUse }
            let refused = try lab.vctl("tap", "delete", "busy0", "--yes")
            #expect(refused.status == 4 && refused.err.contains("(tap.inUse)"), "\(refused)")
            #expect(refused.err.contains("(python3)") && refused.err.contains("--force"), "\(refused)")
            #expect(try tap(lab, "show", "busy0").state == .present)
            try lab.must("tap", "delete", "busy0", "--yes", "--force")
            #expect(try lab.vctl("tap", "show", "busy0").status == 3)
        }

        @Test func aRealQEMUHasSeveralQueues() throws {
            let lab = try Lab.current
            try lab.must("tap", "create", "multi0", "--owner", "daemon", "--queues", "4")
            let qemu = try Child(
                lab.vhostCommand(
                    "exec", lab.name, "setpriv", "--reuid=daemon", "--clear-groups", "qemu-system-x86_64",
                    "-accel", "tcg", "-display", "none", "-S", "-netdev",
                    "tap,id=n,ifname=multi0,script=no,downscript=no,queues=4", "-device",
                    "virtio-net-pci,netdev=n,mq=on"),
                environment: ["VCTL_LAB": Lab.base])
            defer {
                qemu.signal(9)
                _ = qemu.wait(seconds: 30)
            }
            try eventually("QEMU has it open") { try tap(lab, "show", "multi0").inUse }
            let refused = try lab.vctl("tap", "delete", "multi0", "--yes")
            #expect(refused.err.contains("qemu-system"), "\(refused)")
            try lab.must("tap", "delete", "multi0", "--yes", "--force")
        }

        @Test func foreignOnesAndThoseOfVMsAreShownAndStay() throws {
            let lab = try Lab.current
            try lab.inside("ip", "tuntap", "add", "theirs0", "mode", "tap")
            try lab.create("tapped", "--network", "default")
            let taps = try decode([TAP].self, lab.must("tap", "list", "--format", "json").out)
            let foreign = try #require(taps.first { $0.name == "theirs0" })
            #expect(!foreign.managed && foreign.id == nil)
            let nic = try #require(try lab.vm("tapped").nics.first?.tap)
            let guests = try #require(taps.first { $0.name == nic })
            #expect(guests.vm == "tapped" && guests.inUse && !guests.managed)
            for name in ["theirs0", nic] {
                let refused = try lab.vctl("tap", "delete", name, "--yes", "--force")
                #expect(refused.status == 4 && refused.err.contains("(tap.foreign)"), "\(refused)")
            }
            #expect(try lab.inside("ip", "link", "show", "theirs0").status == 0)
            try lab.inside("ip", "link", "delete", "theirs0")
            try lab.remove("tapped")
        }

        @Test func theyOutliveTheDaemonAndAReboot() throws {
            let lab = try Lab.current
            try lab.must("tap", "create", "kept0", "--owner", "daemon", "--label", "env=lab")
            let index = try lab.inside("cat", "/sys/class/net/kept0/ifindex").out
            try lab.crash()
            try lab.startDaemon()
            #expect(try lab.inside("cat", "/sys/class/net/kept0/ifindex").out == index)
            let before = try tap(lab, "show", "kept0")
            try lab.stopDaemon()
            try lab.inside("ip", "link", "delete", "kept0")
            try lab.startDaemon()
            var after = try tap(lab, "show", "kept0")
            #expect(after.mac != before.mac)
            after.mac = before.mac
            #expect(after == before)
            try lab.must("tap", "delete", "kept0", "--yes")
        }

        @Test func badInputIsRefused() throws {
            let lab = try Lab.current
            let before = try lab.inside("ip", "-o", "link").out
            for (arguments, status) in [
                (["a-name-of-16-byte"], 64), (["../x"], 64), (["a b"], 64), (["."], 64), (["all"], 64),
                (["lo"], 4), (["virbr0"], 4), (["x0", "--owner", "nobody-such"], 64),
                (["x0", "--bridge", "nobridge"], 3), (["x0", "--bridge", "lo"], 3),
                (["x0", "--queues", "0"], 64), (["x0", "--queues", "257"], 64),
            ] as [([String], Int32)] {
                let outcome = try lab.run(["tap", "create"] + arguments)
                #expect(outcome.status == status, "\(outcome)")
            }
            try lab.must("tap", "create", "x0", "--dry-run")
            #expect(try lab.inside("ip", "-o", "link").out == before)
        }

        /// Two hundred leave nothing behind.
        @Test func manyComeAndGo() throws {
            let lab = try Lab.current
            let before = try lab.inside("ip", "-o", "link").lines.count
            let names = (0..<200).map { "many\($0)" }
            for name in names { try lab.must("tap", "create", name, "--no-wait") }
            try eventually("all are there") {
                try lab.inside("ip", "-o", "link").lines.count == before + names.count
            }
            try eventually("all are made") {
                try lab.operations().allSatisfy { $0.status != .running && $0.status != .pending }
            }
            let outcome = try lab.run(["tap", "delete", "--yes"] + names)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try lab.inside("ip", "-o", "link").lines.count == before)
            #expect(lab.list("\(lab.state)/objects/tap") == [])
        }

        private func tap(_ lab: Lab, _ arguments: String...) throws -> TAP {
            let outcome = try lab.run(["tap"] + arguments + ["--format", "json"])
            guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
            return try decode(TAP.self, outcome.out)
        }
    }
}
