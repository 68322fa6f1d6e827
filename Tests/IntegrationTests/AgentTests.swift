// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// Commands in guests, by the agent.
    @Suite(.hosted("agent"))
    struct Agents {
        @Test func commandsRunInTheGuest() throws {
            let lab = try Lab.current
            try lab.create("guest", "--network", "none", "--wait-for", "agent", "--timeout", "4m")
            try lab.create("other", "--network", "none", "--wait-for", "agent", "--timeout", "4m")
            try whatACommandSays(lab)
            try outputIsStreamed(lab)
            try filesGoBothWays(lab)
            try whatIsWrittenIsForItsOwner(lab)
            try aFullDiskIsSaid(lab)
            try whatTheGuestIs(lab)
            try anAgentThatHangs(lab)
            try lab.remove("guest", "other")
        }

        private func whatACommandSays(_ lab: Lab) throws {
            let both = try lab.vctl("exec", "guest", "sh", "-c", "echo out; echo err >&2; exit 7")
            #expect(both.status == 7 && both.out == "out\n" && both.err == "err\n", "\(both)")
            #expect(try lab.vctl("exec", "guest", "true").status == 0)
            #expect(try lab.vctl("exec", "guest", "no-such-program").status == 127)
            let words = try lab.must("exec", "guest", "--", "printf", "%s|", "a b", "$HOME", "'")
            #expect(words.out == "a b|$HOME|'|")
            let input = try lab.must(
                "vm", "exec", "--stdin", "--env", "A=b c", "--cwd", "/tmp", "guest", "sh", "-c",
                "cat; pwd; echo $A",
                input: "in\n")
            #expect(input.out == "in\n/tmp\nb c\n")
            let long = String(repeating: "0123456789abcde\n", count: 30_000)
            let counted = try lab.must("exec", "--stdin", "guest", "--", "wc", "-c", input: long)
            #expect(counted.text == "480000", "\(counted)")
            // The files of a command bear the same first 42 characters; those of this one are there.
            let left = try lab.must("exec", "guest", "sh", "-c", "ls -A /tmp | cut -c1-42 | sort -u | wc -l")
            #expect(left.out == "1\n", "nothing is left behind")
            let off = try lab.vctl("exec", "nobody", "true")
            #expect(off.status == 125 && off.err.contains("(vm.notFound)"), "\(off)")
        }

        private func outputIsStreamed(_ lab: Lab) throws {
            // More than the agent keeps, and than the guest keeps of it.
            let big = "head -c 20000000 /dev/zero | tr '\\0' x"
            let counted = try Shell.run(
                ["sh", "-c", "\"$0\" exec guest sh -c \"$1\" | wc -c", "\(Lab.build)/vctl", big],
                environment: ["VCTL_SOCKET": lab.socket], seconds: 600)
            #expect(counted.text == "20000000", "\(counted)")
            let live = try Child(
                ["\(Lab.build)/vctl", "exec", "guest", "sh", "-c", "echo first; sleep 10"],
                environment: ["VCTL_SOCKET": lab.socket], log: "\(lab.files)/live.log")
            try eventually("the first line comes before the end") {
                try String(contentsOfFile: "\(lab.files)/live.log", encoding: .utf8).contains("first")
            }
            live.signal(SIGINT)
            #expect(live.wait(seconds: 30) == 130)
            try eventually("nothing is left of it when it has ended") {
                try lab.must("exec", "guest", "sh", "-c", "ls -A /tmp | cut -c1-42 | sort -u | wc -l").out
                    == "1\n"
            }
        }

        private func filesGoBothWays(_ lab: Lab) throws {
            let (here, back) = ("\(lab.files)/here", "\(lab.files)/back")
            try Shell.must(["sh", "-c", "head -c 2500000 /dev/urandom >\(here)"])
            let preview = try lab.must("vm", "file", "push", "guest", here, "/data/there", "--dry-run")
            #expect(preview.lines.first == "vm.file.push guest would:", "\(preview)")
            #expect(try lab.must("exec", "guest", "ls", "/data").text == "lost+found", "nothing was written")
            try lab.must("vm", "file", "push", "guest", here, "/data/there", "--mode", "0640")
            try lab.must("vm", "file", "pull", "guest", "/data/there", back)
            try Shell.must(["cmp", here, back])
            let mode = try lab.must("exec", "guest", "stat", "-c", "%a", "/data/there").out
            #expect(mode == "640\n")
            try lab.must("vm", "file", "push", "guest", lab.write("empty", ""), "/data/empty")
            let wrong = [
                ["push", "guest", here, "/no/such/folder"], ["push", "guest", here, "/data"],
                ["pull", "guest", "/no/such/file", "-"], ["pull", "guest", "/data", "-"],
            ]
            for words in wrong {
                let outcome = try lab.run(["vm", "file"] + words)
                #expect(outcome.status == 1 && outcome.err.contains("(agent.failed)"), "\(words): \(outcome)")
            }
            #expect(try lab.vctl("vm", "file", "pull", "guest", "relative", "-").status == 64)
            let names = try lab.must("exec", "guest", "ls", "/data").out.split(separator: "\n")
            #expect(names.sorted() == ["empty", "lost+found", "there"], "nothing is left beside")
        }

        private func whatIsWrittenIsForItsOwner(_ lab: Lab) throws {
            let made = try lab.must(
                "exec", "guest", "sh", "-c", "cd /data; mkdir made; : >made/file; stat -c %a made made/file")
            #expect(made.out == "755\n644\n", "as a login makes them")
            let here = try lab.write("words", "new words")
            try lab.must("vm", "file", "push", "guest", here, "/data/made/pushed")
            try lab.must(
                "exec", "guest", "sh", "-c",
                "cd /data/made; chown 7:8 file; chmod 4751 file; ln -s file link; echo old >file")
            try lab.must("vm", "file", "push", "guest", here, "/data/made/link")
            let now = try lab.must(
                "exec", "guest", "sh", "-c", "cd /data/made; stat -c '%a %u:%g' pushed file; cat file; ls")
            #expect(now.out == "644 0:0\n4751 7:8\nnew wordsfile\nlink\npushed\n")
        }

        /// What was there stays when there is no room for what comes.
        private func aFullDiskIsSaid(_ lab: Lab) throws {
            try lab.must(
                "exec", "guest", "sh", "-c",
                """
                mount -t tmpfs -o size=256k small /data/made && echo old >/data/made/file &&
                mount -t tmpfs -o size=256k small /tmp
                """)
            let big = "\(lab.files)/big"
            try Shell.must(["sh", "-c", "head -c 1000000 /dev/zero >\(big)"])
            let pushed = try lab.vctl("vm", "file", "push", "guest", big, "/data/made/file")
            #expect(pushed.status == 1 && pushed.err.contains("(agent.failed)"), "\(pushed)")
            let kept = try lab.must("exec", "guest", "sh", "-c", "cat /data/made/file; ls /data/made")
            #expect(kept.out == "old\nfile\n")
            let lossy = try lab.vctl(
                "exec", "guest", "sh", "-c", "head -c 500000 /dev/zero | tr '\\0' x; : >/data/made/went-on")
            #expect(lossy.status == 125 && lossy.err.contains("no room in /tmp"), "\(lossy.err)")
            try lab.must(
                "exec", "guest", "sh", "-c",
                "head -c 999999 /dev/zero >/tmp/x 2>/dev/null; :")
            let full = try lab.vctl("exec", "guest", "sh", "-c", "ls /data/made; echo err >&2; exit 3")
            #expect(full.status == 3 && full.out == "file\nwent-on\n" && full.err == "err\n", "\(full)")
            try lab.must("exec", "guest", "sh", "-c", "umount /tmp /data/made; rm -r /data/made")
        }

        private func whatTheGuestIs(_ lab: Lab) throws {
            try eventually("the agent has said what the guest is") {
                let vm = try lab.vm("guest")
                return vm.agent?.state == .up && vm.guest?.hostname == "guest"
                    && vm.guest?.fileSystems.contains { $0.mountpoint == "/data" && $0.type == "ext4" }
                        == true
            }
            #expect(try lab.must("vm", "show", "guest").out.contains("/data"))
        }

        private func anAgentThatHangs(_ lab: Lab) throws {
            try lab.must(
                "exec", "guest", "sh", "-c", "(sleep 1; kill -STOP $(pidof qemu-ga)) >/dev/null 2>&1 &")
            try eventually("the agent hangs", seconds: 60) {
                try lab.vctl("exec", "guest", "true", seconds: 60).status == 125
            }
            try eventually("the heart has stopped", seconds: 120) {
                try lab.vm("guest").agent?.state == .unresponsive
            }
            let waiting = try Child(
                ["\(Lab.build)/vctl", "exec", "guest", "true"], environment: ["VCTL_SOCKET": lab.socket])
            #expect(try lab.must("exec", "other", "echo", "here", seconds: 30).out == "here\n")
            #expect(try lab.vctl("vm", "list", seconds: 10).status == 0)
            #expect(waiting.wait(seconds: 60) == 125)
            // The button is pressed, however many wait for the agent.
            let others = try (0..<4).map { _ in
                try Child(
                    ["\(Lab.build)/vctl", "exec", "guest", "true"], environment: ["VCTL_SOCKET": lab.socket])
            }
            try lab.must("vm", "stop", "guest", "--grace", "25s")
            for other in others { #expect(other.wait(seconds: 60) == 125) }
            for options in [[], ["--dry-run"]] {
                let push = ["vm", "file", "push", "guest", "/etc/hostname", "/data/x"]
                let off = try lab.run(push + options)
                #expect(off.status == 4 && off.err.contains("(vm.state)"), "\(off)")
            }
        }
    }
}
