// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// Bridges over the card that the host is reached by. Each test has a card of its own, and another host
    /// at the other end of its cable.
    @Suite(.hosted("uplinks"), .serialized)
    struct Uplinks {
        @Test func withoutAWordEverythingGoesBack() throws {
            let (lab, card, before) = try Uplink.plugged("upa", 90)
            let made = try lab.must("bridge", "create", "bra", "--port", "upa", "--confirm-timeout", "10s")
            #expect(made.err.contains("vctl bridge confirm bra"), "\(made)")
            let bridge = try lab.bridge("show", "bra")
            #expect(bridge.confirmBy != nil && bridge.ports == ["upa"])
            #expect(bridge.addresses.sorted() == ["10.90.0.2/24", "10.90.0.3/24", "fd90::2/64"])
            #expect(bridge.mac == (try card.mac()))
            #expect(try lab.inside("ip", "-4", "addr", "show", "dev", "upa").out == "")
            try card.answers()
            let refused = try lab.vctl("bridge", "delete", "bra", "--yes")
            #expect(refused.status == 4 && refused.err.contains("vctl bridge confirm bra"), "\(refused)")
            try card.awaitGone("bra", before)
            let warnings = try lab.must("warning", "list", "--format", "json").out
            #expect(warnings.contains("bridge.rolledBack"))
            #expect(try lab.vctl("bridge", "confirm", "bra").status == 3)
            try card.unplug()
        }

        @Test func withoutTheDaemonItGoesBackAsWell() throws {
            let (lab, card, before) = try Uplink.plugged("upb", 91)
            try lab.bridge("create", "brb", "--port", "upb", "--confirm-timeout", "10s")
            try lab.crash()
            try card.answers()
            #expect(try lab.inside("ip", "link", "show", "brb").status == 0)
            try eventually("it has gone back", seconds: 60) { try card.seen() == before }
            try lab.startDaemon()
            try card.awaitGone("brb", before)
            #expect(lab.list("\(lab.state)/guard") == [] && lab.list("\(lab.state)/objects/bridge") == [])
            try card.unplug()
        }

        @Test func aDaemonThatComesBackInTimeChangesNothing() throws {
            let (lab, card, before) = try Uplink.plugged("upf", 95)
            try lab.bridge("create", "brf", "--port", "upf", "--confirm-timeout", "20s")
            try lab.crash()
            try lab.startDaemon()
            #expect(try lab.bridge("show", "brf").confirmBy != nil)
            try card.answers()
            try card.awaitGone("brf", before)
            // It can be confirmed as well as if nothing had been.
            try lab.bridge("create", "brf", "--port", "upf", "--confirm-timeout", "60s")
            try lab.crash()
            try lab.startDaemon()
            #expect(try lab.bridge("confirm", "brf").confirmBy == nil)
            try lab.must("bridge", "delete", "brf", "--yes")
            try lab.must("bridge", "confirm", "brf")
            #expect(try card.seen() == before)
            try card.unplug()
        }

        /// The daemon dies somewhere in the change, and stays away.
        @Test(arguments: 0..<4) func halfAChangeGoesBack(_ round: Int) throws {
            let (lab, card, before) = try Uplink.plugged("upg", 96)
            try lab.must("bridge", "create", "brg", "--port", "upg", "--confirm-timeout", "10s", "--no-wait")
            if round % 2 == 1 {
                try eventually("the bridge is there") {
                    try lab.inside("ip", "link", "show", "brg").status == 0
                }
            }
            try lab.crash()
            if round < 2 { try eventually("all is as it was", seconds: 60) { try card.seen() == before } }
            try lab.startDaemon()
            try card.awaitGone("brg", before)
            #expect(lab.list("\(lab.state)/guard") == [])
            try card.unplug()
        }

        @Test func theGuardItselfIsReplaced() throws {
            let (lab, card, before) = try Uplink.plugged("uph", 97)
            try lab.bridge("create", "brh", "--port", "uph", "--confirm-timeout", "15s")
            let killed = try killGuard(lab)
            try eventually("there is another one") { try guardProcess(lab).map { $0 != killed } ?? false }
            try lab.crash()
            try killGuard(lab)
            try lab.startDaemon()
            try card.awaitGone("brh", before)
            try card.unplug()
        }

        private func guardProcess(_ lab: Lab) throws -> String? {
            let file = lab.list("\(lab.state)/guard").first { $0.hasSuffix(".guard") }
            struct Process: Decodable { let pid: Int }
            return try file.map {
                let text = try String(contentsOfFile: "\(lab.state)/guard/\($0)", encoding: .utf8)
                return "\(try decode(Process.self, text).pid)"
            }
        }

        @discardableResult
        private func killGuard(_ lab: Lab) throws -> String {
            let pid = try #require(try guardProcess(lab))
            #expect(try lab.inside("cat", "/proc/\(pid)/comm").out == "vctl-guard\n")
            try lab.inside("kill", "-9", pid)
            return pid
        }

        @Test func whatIsConfirmedStays() throws {
            let (lab, card, _) = try Uplink.plugged("upc", 92)
            let made = try lab.must("bridge", "create", "brc", "--port", "upc", "--confirm-timeout", "20s")
            #expect(made.err.contains("default route"), "\(made)")
            let confirmed = try lab.bridge("confirm", "brc")
            #expect(confirmed.confirmBy == nil)
            #expect(try lab.vctl("bridge", "confirm", "brc").status == 4)
            let after = try card.seen()
            try lab.crash()
            try lab.startDaemon()
            #expect(try card.seen() == after)
            // A reboot: the kernel has forgotten everything, and the card is there with its addresses.
            try lab.crash()
            try lab.vhost("stop", lab.name)
            try lab.vhost("start", lab.name)
            try card.plug()
            let before = try card.seen()
            try lab.startDaemon()
            let again = try lab.bridge("show", "brc")
            #expect(again.addresses.sorted() == confirmed.addresses.sorted())
            #expect(again.mac == confirmed.mac && again.ports == ["upc"])
            #expect(try lab.inside("ip", "route").out.contains("default via 10.92.0.1 dev brc metric 100"))
            #expect(try lab.inside("ip", "-4", "addr", "show", "dev", "upc").out == "")
            try card.answers()
            // Back on the card, for good.
            try lab.must("bridge", "delete", "brc", "--yes", "--confirm-timeout", "20s")
            try lab.must("bridge", "confirm", "brc")
            #expect(try lab.vctl("bridge", "show", "brc").status == 3)
            #expect(try card.seen() == before)
            try card.answers()
            try card.unplug()
        }

        /// The card is there long after the daemon, and what configures it comes later still.
        @Test func whatABootLacksIsMadeLater() throws {
            let (lab, card, _) = try Uplink.plugged("upj", 99)
            try lab.bridge("create", "brj", "--port", "upj")
            let made = try lab.bridge("confirm", "brj")
            #expect(made.problems == [])
            try lab.crash()
            try lab.vhost("stop", lab.name)
            try lab.vhost("start", lab.name)
            try lab.startDaemon()
            let bare = try lab.bridge("show", "brj")
            #expect(bare.state == .present && bare.ports == [] && bare.addresses == [])
            #expect(bare.problems.first == "the host has no link upj, which is to be a port of it")
            #expect(bare.problems.count == 4, "\(bare.problems)")
            let doctor = try lab.vctl("host", "doctor", "--format", "json").out
            #expect(doctor.contains("bridge brj: the host has no link upj"), "\(doctor)")
            try card.connect()
            try card.awaitTakenOver("brj", made)
            let route = try lab.inside("ip", "route", "show", "default").out
            #expect(route.contains("default via 10.99.0.1 dev brj metric 100"), "\(route)")
            let warnings = try lab.must("warning", "list", "--format", "json").out
            #expect(!warnings.contains("bridge brj is not as it is kept"), "\(warnings)")
            try lab.inside("ip", "addr", "add", "10.99.0.2/24", "dev", "upj")
            try card.awaitTakenOver("brj", made)
            // Pulled out, and put in again.
            try card.unplug()
            try eventually("it is missed") { try lab.bridge("show", "brj").problems != [] }
            try card.connect()
            try card.awaitTakenOver("brj", made)
            try lab.must("bridge", "delete", "brj", "--yes")
            try lab.must("bridge", "confirm", "brj")
            try card.answers()
            try card.unplug()
        }

        /// As a daemon leaves it that was killed between the steps.
        @Test func whatWasHalfMadeIsMadeWhole() throws {
            let (lab, card, _) = try Uplink.plugged("upk", 89)
            try lab.bridge("create", "brk", "--port", "upk")
            let made = try lab.bridge("confirm", "brk")
            let id = try #require(made.id)
            for half in [
                "ip link set upk nomaster", "ip addr flush dev brk", "ip route flush dev brk proto boot",
                "ip link set upk nomaster; ip addr flush dev brk; ip addr add 10.89.0.2/24 dev upk",
            ] {
                try lab.crash()
                try lab.inside("sh", "-c", half)
                try lab.sql("INSERT OR REPLACE INTO meta(key, value) VALUES ('links', '[\"\(id)\"]')")
                try lab.inside("ip", "addr", "add", "10.189.7.1/24", "dev", "brk")
                try lab.startDaemon()
                try lab.inside("ip", "addr", "del", "10.189.7.1/24", "dev", "brk")
                try card.awaitTakenOver("brk", made)
                let routes = try lab.inside("sh", "-c", "ip route; ip -6 route show table 77").out
                #expect(routes.contains("default via 10.89.0.1 dev brk metric 100"), "\(half): \(routes)")
                #expect(routes.contains("fd77:89::/32 via fd89::9 dev brk"), "\(half): \(routes)")
            }
            try lab.must("bridge", "delete", "brk", "--yes")
            try lab.must("bridge", "confirm", "brk")
            try card.unplug()
        }

        /// A bridge that was made whole is the administrator's, however often the daemon starts.
        @Test func whatSomebodyHasChangedSinceStays() throws {
            let (lab, card, _) = try Uplink.plugged("upm", 88)
            try lab.bridge("create", "brm", "--port", "upm")
            try lab.must("bridge", "confirm", "brm")
            let change = try lab.inside(
                "sh", "-c",
                """
                set -e
                ip route del default dev brm; ip route add default via 10.88.0.254 dev brm metric 50
                ip link add idle0 type veth peer name idle1; ip link set idle0 master brm
                ip link set brm type bridge stp_state 1
                """)
            let routes = { try lab.inside("ip", "route").out }
            let changed = try routes()
            #expect(change.status == 0 && changed.contains("default via 10.88.0.254 dev brm"), "\(change)")
            for _ in 0..<2 {
                try lab.crash()
                try lab.startDaemon()
                #expect(try routes() == changed)
                #expect(try lab.inside("cat", "/sys/class/net/brm/bridge/stp_state").text == "1")
            }
            #expect(try lab.inside("ls", "/sys/class/net/brm/brif").lines.sorted() == ["idle0", "upm"])
            try lab.inside("ip", "link", "del", "idle0")
            try lab.must("bridge", "delete", "brm", "--yes")
            try lab.must("bridge", "confirm", "brm")
            try card.unplug()
        }

        @Test func itIsTakenBackAtOnceWhenAsked() throws {
            let (lab, card, before) = try Uplink.plugged("upd", 93)
            try lab.bridge("create", "brd", "--port", "upd")
            try lab.must("bridge", "rollback", "brd")
            #expect(try card.seen() == before)
            #expect(try lab.vctl("bridge", "show", "brd").status == 3)
            // A deletion, too: the bridge is there again.
            try lab.bridge("create", "brd", "--port", "upd")
            try lab.must("bridge", "confirm", "brd")
            let made = try lab.bridge("show", "brd")
            try lab.must("bridge", "delete", "brd", "--yes")
            #expect(try lab.inside("ip", "link", "show", "brd").status == 1)
            try card.answers()
            try lab.must("bridge", "rollback", "brd")
            let back = try lab.bridge("show", "brd")
            #expect(back.ports == ["upd"] && back.addresses == made.addresses && back.mac == made.mac)
            try card.answers()
            // And without a word.
            try lab.must("bridge", "delete", "brd", "--yes", "--confirm-timeout", "10s")
            #expect(try lab.bridge("show", "brd").state == .missing)
            try eventually("it is there again", seconds: 60) {
                try lab.bridge("show", "brd").confirmBy == nil
            }
            try card.answers()
            try lab.must("bridge", "set", "brd", "--no-port")
            try lab.must("bridge", "confirm", "brd")
            try lab.must("bridge", "delete", "brd", "--yes")
            #expect(try card.seen() == before)
            try card.unplug()
        }

        @Test func otherManagersAreNotFought() throws {
            let (lab, card, before) = try Uplink.plugged("upe", 94)
            let index = try lab.inside("cat", "/sys/class/net/upe/ifindex").text
            for (file, text, name) in [
                (
                    "/run/systemd/netif/links/\(index)", "NETWORK_FILE=/etc/systemd/network/a.network",
                    "networkd"
                ),
                ("/run/NetworkManager/devices/\(index)", "[device]\\nmanaged=true", "NetworkManager"),
                ("/run/network/ifstate.upe", "upe", "ifupdown"),
            ] {
                try lab.inside("sh", "-c", "mkdir -p $(dirname \(file)); printf '\(text)\\n' >\(file)")
                let refused = try lab.vctl("bridge", "create", "bre", "--port", "upe")
                #expect(refused.status == 4 && refused.err.contains("(link.managed)"), "\(refused)")
                #expect(refused.err.contains(name) && refused.err.contains("hint: "), "\(refused)")
                try lab.inside("rm", file)
            }
            try lab.inside(
                "ip", "addr", "add", "10.94.7.1/24", "dev", "upe", "valid_lft", "600", "preferred_lft", "600")
            let leased = try lab.vctl("bridge", "create", "bre", "--port", "upe")
            #expect(leased.err.contains("(link.managed)") && leased.err.contains("DHCP"), "\(leased)")
            try lab.inside("ip", "addr", "del", "10.94.7.1/24", "dev", "upe")
            #expect(try card.seen() == before)
            try card.unplug()
        }

        /// The way over a bridge that has taken over nothing is a way, too.
        @Test func whoIsReachedOverTheBridgeItselfIsGuarded() throws {
            let lab = try Lab.current
            try lab.inside("sh", "-c", "ip link add upl type veth peer name upm; ip link set upm up")
            try lab.bridge("create", "brl", "--port", "upl", "--address", "10.88.0.1/24")
            func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
            func asked(_ words: String, from client: String) throws -> Outcome {
                let command = "\(Lab.build)/vctl bridge \(words)"
                return try lab.inside(
                    "env", "SSH_CONNECTION=\(client) 40000 10.88.0.1 22", "sh", "-c", "\(command); exit $?")
            }
            for change in ["delete brl --yes", "set brl --no-address", "set brl --no-port", "set brl --stp"] {
                // Whoever comes from elsewhere has the host's address on it all the same.
                for client in ["10.88.0.9", "192.0.2.9"] {
                    let told = try asked("\(change) --dry-run", from: client)
                    #expect(told.err.contains("brl carries the SSH session"), "\(told)")
                    #expect(told.out.contains("after 60 s"), "\(told)")
                }
                let local = try lab.run(words("bridge \(change) --dry-run"))
                #expect(!local.out.contains("after 60 s") && local.status == 0, "\(local)")
            }
            for change in ["set brl --label a=b", "set brl --address 10.88.0.1/24 --address 10.88.1.1/24"] {
                let harmless = try asked("\(change) --dry-run", from: "10.88.0.9")
                #expect(!harmless.out.contains("after 60 s") && harmless.status == 0, "\(harmless)")
            }
            let before = try lab.bridge("show", "brl")
            let gone = try asked("delete brl --yes", from: "10.88.0.9")
            #expect(gone.status == 0 && gone.err.contains("vctl bridge confirm brl"), "\(gone)")
            #expect(try lab.inside("ip", "link", "show", "brl").status == 1)
            try lab.must("bridge", "rollback", "brl")
            let back = try lab.bridge("show", "brl")
            #expect(back.addresses == before.addresses && back.ports == ["upl"] && back.mac == before.mac)
            try lab.inside("ip", "route", "add", "default", "via", "10.88.0.9", "metric", "9")
            let risky = try lab.run(words("bridge delete brl --yes --dry-run"))
            #expect(risky.err.contains("brl carries the host's default route"), "\(risky)")
            #expect(risky.out.contains("after 60 s"), "\(risky)")
            try lab.inside("ip", "route", "del", "default", "via", "10.88.0.9")
            try lab.inside("ip", "link", "add", "upn", "link", "upm", "type", "macvlan")
            let above = try lab.run(words("bridge create brm --port upm --dry-run"))
            #expect(above.err.contains("links stand on upm: upn"), "\(above)")
            #expect(above.out.contains("after 60 s"), "\(above)")
            try lab.must("bridge", "delete", "brl", "--yes")
            try lab.inside("ip", "link", "delete", "upl")
        }

        /// Whoever sits at the other end of the card is told, and has the timer whatever they say.
        @Test func theCallersOwnConnectionIsNamed() throws {
            let (lab, card, before) = try Uplink.plugged("upi", 98)
            for time in ["5s", "0s", "2h", "soon", "-1s"] {
                let wrong = try lab.vctl(
                    "bridge", "create", "bri", "--port", "upi", "--confirm-timeout", time)
                #expect(wrong.status == 64, "\(wrong)")
            }
            let command = "\(Lab.build)/vctl bridge create bri --port upi --dry-run"
            for program in [command, "env -i sh -c 'X=$(\(command)); echo \"$X\"'"] {
                let asked = try lab.inside(
                    "env", "SSH_CONNECTION=10.98.0.1 40000 10.98.0.2 22", "sh", "-c", "\(program); exit $?")
                #expect(asked.err.contains("upi carries the SSH session"), "\(asked)")
                #expect(asked.err.contains("default route") && asked.out.contains("after 60 s"), "\(asked)")
            }
            let elsewhere = try lab.inside(
                "env", "SSH_CONNECTION=127.0.0.1 40000 127.0.0.1 22", "sh", "-c", command)
            #expect(!elsewhere.err.contains("SSH") && elsewhere.status == 0, "\(elsewhere)")
            #expect(try card.seen() == before)
            try card.unplug()
        }
    }
}

extension Lab {
    /// Changes the inventory behind the daemon's back, which must not run.
    fileprivate func sql(_ statement: String) throws {
        let program =
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
        try Shell.must(["python3", "-c", program, "\(state)/inventory.sqlite", statement])
    }

    /// `vctl bridge …`, which has to end with 0, and the bridge that it prints.
    @discardableResult
    func bridge(_ arguments: String...) throws -> Bridge {
        let outcome = try run(["bridge"] + arguments + ["--format", "json"])
        guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
        return try decode(Bridge.self, outcome.out)
    }
}
