// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// `--host`, over a real sshd.
    @Suite(.hosted("ssh"))
    struct Remote {
        @Test func everythingWorksOverSSH() throws {
            let lab = try Lab.current
            let far = try SSHServer(lab)
            defer { far.end() }
            let events = try far.start("event", "follow", "--since", "0", "--format", "json")
            defer { events.signal(SIGKILL) }
            try far.must("image", "import", "sent", "\(Lab.images)/tiny.qcow2")
            #expect(try far.must("image", "list", "--format", "name").lines == ["sent", "tiny"])
            let made = try far.must(
                "vm", "create", "far", "--image", "sent", "--memory", "128M", "--wait-for", "ip",
                "--timeout", "4m", "--format", "json")
            #expect(try decode(VM.self, made.out).nics.first?.addresses.isEmpty == false)
            try eventually("the guest is up", seconds: 180) {
                try far.must("vm", "console", "far", "--log").out.contains("GUEST-UP name=far")
            }
            try console(far)
            try far.must("vm", "delete", "far", "--yes", "--force")
            try far.must("image", "delete", "sent", "--yes")
            try eventually("the events have come") {
                let types = try events.outcome(status: -1).lines.map { try decode(Event.self, $0).type }
                return types.contains("vm.created") && types.contains("vm.deleted")
            }
            let audit = try lab.must(
                "audit", "list", "--format", "csv", "--columns", "requestor,action,target")
            #expect(audit.lines.contains("root,vm.create,far"))
        }

        private func console(_ far: SSHServer) throws {
            let session = try far.start("console", "far", input: "echo $((1000 + 234))-typed\n")
            try eventually("the guest has echoed what was typed") {
                session.outcome(status: -1).out.contains("1234-typed")
            }
            session.signal(SIGTERM)
            _ = session.wait(seconds: 10)
        }

        @Test func aBrokenConnectionIsMadeAgain() throws {
            let lab = try Lab.current
            let far = try SSHServer(lab)
            defer { far.end() }
            let begin = try lab.lastEvent()
            let events = try far.start("event", "follow", "--since", "\(begin)", "--format", "json")
            defer { events.signal(SIGKILL) }
            let sequences = {
                try events.outcome(status: -1).lines.map { try decode(Event.self, $0).sequence }
            }
            try lab.create("cut1", "--no-start")
            try eventually("the stream is there") { try !sequences().isEmpty }
            try far.restart()
            try lab.create("cut2", "--no-start")
            let last = try lab.lastEvent()
            try eventually("the stream goes on without a gap") { try sequences() == Array(begin + 1...last) }
            try lab.remove("cut1", "cut2")
        }

        @Test func whatIsInTheWayIsNamed() throws {
            let lab = try Lab.current
            let far = try SSHServer(lab)
            defer { far.end() }
            let elsewhere = try far.vctl("list", "--socket", "/nonexistent/x.sock")
            #expect(elsewhere.status == 6)
            #expect(elsewhere.err.contains("ssh://127.0.0.1:2222/nonexistent/x.sock: No such file"))
            try far.forbid()
            let refused = try far.vctl("event", "follow", seconds: 30)
            #expect(refused.status == 6 && refused.err.contains("Permission denied"), "\(refused)")
            #expect(refused.err.contains("ssh-copy-id -p 2222 127.0.0.1"))
            let nobody = try far.vctl("list", "--host", "ssh://127.0.0.1:2")
            #expect(nobody.status == 6 && nobody.err.contains("Connection refused"), "\(nobody)")
        }

        /// ssh asks on the terminal of whoever types; a script gets an error at once.
        @Test func aQuestionIsForATerminal() throws {
            let lab = try Lab.current
            let far = try SSHServer(lab)
            defer { far.end() }
            try far.forbid()
            let list = ["env", "PATH=\(far.programs):/usr/bin:/bin", "\(Lab.build)/vctl", "list"]
            let typed = (list + ["--host", "ssh://127.0.0.1:2222"]).joined(separator: " ")
            let asked = try onTerminal(lab, typed)
            try eventually("ssh asks") { asked.outcome(status: -1).out.contains("password:") }
            asked.signal(SIGKILL)
            _ = asked.wait(seconds: 10)
            let told = try onTerminal(lab, "\(typed) </dev/null")
            #expect(told.wait(seconds: 30) == 6)
            let words = told.outcome(status: 6).out
            #expect(!words.contains("password:") && words.contains("Permission denied"), "\(words)")
            let refused = try far.vctl("list", seconds: 30)
            #expect(refused.status == 6 && refused.out.isEmpty, "\(refused)")
            #expect(refused.err.contains("password") && refused.err.contains("hint: "), "\(refused)")
            try far.forget()
            let unknown = try far.vctl("list", seconds: 30)
            #expect(unknown.status == 6 && unknown.err.contains("Host key verification failed"), "\(unknown)")
        }

        /// A command on a terminal of its own, where nobody types.
        private func onTerminal(_ lab: Lab, _ command: String) throws -> Child {
            try Child(
                lab.vhostCommand("exec", lab.name, "script", "-qefc", command, "/dev/null"),
                environment: ["VCTL_LAB": Lab.base])
        }

        @Test func withoutVctlThereItIsSaid() throws {
            let far = try SSHServer(try Lab.current, hasVctl: false)
            defer { far.end() }
            let missing = try far.vctl("list")
            #expect(missing.status == 6 && missing.err.contains("(host.program)"), "\(missing)")
            #expect(missing.err.contains("hint: install vctl there"))
        }
    }
}

/// A real sshd in the host, with keys and a configuration of its own, and `vctl` beside it as its client.
final class SSHServer {
    private let lab: Lab
    private let folder: String
    private var server: Child?

    init(_ lab: Lab, hasVctl: Bool = true) throws {
        self.lab = lab
        folder = "\(lab.files)/ssh-\(UUID().uuidString.prefix(8))"
        let manager = FileManager.default
        try manager.createDirectory(atPath: "\(folder)/bin", withIntermediateDirectories: true)
        if hasVctl {
            try manager.createSymbolicLink(
                atPath: "\(folder)/bin/vctl", withDestinationPath: "\(Lab.build)/vctl")
        }
        for key in ["host", "user"] {
            try Shell.must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "\(folder)/\(key)"])
        }
        try manager.copyItem(atPath: "\(folder)/user.pub", toPath: "\(folder)/authorized")
        try write(
            "sshd_config",
            """
            Port 2222
            ListenAddress 127.0.0.1
            HostKey \(folder)/host
            AuthorizedKeysFile \(folder)/authorized
            StrictModes no
            PermitRootLogin yes
            PidFile none
            SetEnv PATH=\(folder)/bin:/usr/bin:/bin
            """)
        let hostKey = try String(contentsOfFile: "\(folder)/host.pub", encoding: .utf8)
        try write("known", "[127.0.0.1]:2222 \(hostKey)")
        try write(
            "client", "IdentityFile \(folder)/user\nIdentitiesOnly yes\nUserKnownHostsFile \(folder)/known\n")
        // The machine's own configuration and keys of ssh stay out of it.
        try write("bin/ssh", "#!/bin/sh\nexec /usr/bin/ssh -F '\(folder)/client' \"$@\"\n")
        try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/bin/ssh")
        try lab.inside("mkdir", "-p", "/run/sshd")
        try restart()
    }

    private func write(_ name: String, _ text: String) throws {
        try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }

    /// Ends the server with all its connections, and starts it again.
    func restart() throws {
        end()
        let log = "\(folder)/log"
        try? FileManager.default.removeItem(atPath: log)
        // In a PID namespace of its own, nothing of it outlives it.
        server = try Child(
            lab.vhostCommand(
                "exec", lab.name, "unshare", "--pid", "--fork", "--kill-child", "/usr/sbin/sshd", "-D", "-e",
                "-f", "\(folder)/sshd_config"), environment: ["VCTL_LAB": Lab.base], log: log)
        try eventually("sshd listens") {
            try String(contentsOfFile: log, encoding: .utf8).contains("Server listening")
        }
    }

    /// From now on, nobody is let in.
    func forbid() throws { try write("authorized", "") }

    /// From now on, the client does not know the server.
    func forget() throws { try write("known", "") }

    func end() {
        server?.signal(SIGKILL)
        _ = server?.wait(seconds: 10)
        server = nil
    }

    /// The folder of `vctl` there and of an `ssh` that knows the server.
    var programs: String { "\(folder)/bin" }

    private func command(_ arguments: [String]) -> [String] {
        lab.vhostCommand(
            "exec", lab.name, "env", "PATH=\(folder)/bin:/usr/bin:/bin", "VCTL_HOST=ssh://127.0.0.1:2222",
            "\(Lab.build)/vctl") + arguments
    }

    /// Runs `vctl` with that host, however it ends.
    func vctl(_ arguments: String..., seconds: Double = 120) throws -> Outcome {
        try Shell.run(command(arguments), environment: ["VCTL_LAB": Lab.base], seconds: seconds)
    }

    /// Runs `vctl` with that host, which has to end with 0.
    @discardableResult
    func must(_ arguments: String...) throws -> Outcome {
        try Shell.must(command(arguments), environment: ["VCTL_LAB": Lab.base], seconds: 300)
    }

    /// Starts `vctl` with that host.
    func start(_ arguments: String..., input: String = "") throws -> Child {
        try Child(command(arguments), input: input, environment: ["VCTL_LAB": Lab.base])
    }
}
