// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// What the documents say that one may type, typed as it stands on a host with a guest. A new example is
    /// run without a word here; where it cannot be, it has to be in one of the tables, with the reason.
    @Suite(.hosted("examples"))
    struct Examples {
        @Test func theReadmeWorksFromTopToBottom() throws {
            let lab = try Lab.current
            try lab.run(["image", "delete", "tiny", "--yes", "--if-exists"]).mustBeWell()
            let examples = try Documented.readme()
            #expect(examples.count > 30)
            let shell = try ExampleShell(lab, examples, Tables.readme)
            try shell.home("README.md", "Virtual machines on one Linux host.")
            try shell.home("old1.xml", Foreign.domain("old"))
            try shell.run()
            #expect(try lab.vms().isEmpty)
        }

        @Test func theManualWorksFromPageToPage() throws {
            let lab = try Lab.current
            // The small guest stands for a cloud image, which boots for minutes.
            try lab.must("image", "import", "debian", "\(Lab.images)/tiny.qcow2")
            let examples = try Documented.manual(folder: "\(lab.files)/man", first: "vctl-vm-create.1")
            #expect(examples.count > 10)
            let shell = try ExampleShell(lab, examples, Tables.manual)
            let vm = #"{"name":"asked","image":"debian","memoryBytes":134217728,"start":false}"#
            try shell.home("vm.json", vm)
            try shell.home("old1.xml", Foreign.domain("old"))
            for key in [".ssh/id_ed25519.pub", "ada.pub"] {
                try shell.home(key, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample ann@web")
            }
            try shell.home("nginx.conf", "events {}")
            try Shell.must(["cp", "\(Lab.images)/tiny.qcow2", "\(lab.files)/old.qcow2"])
            _ = try lab.publish("\(lab.files)/old.qcow2")
            try shell.run()
            #expect(try lab.vm("web1").disks.count { $0.device == "disk" } == 3)
            try lab.remove("web1", "web2", "asked", "old1", "app1")
        }

        /// Each has to record an issue, for a check that finds nothing would find nothing anywhere; one that
        /// records none fails this test.
        @Test func anExampleThatFailsIsSaid() throws {
            let lab = try Lab.current
            for example in ["vctl vm show nobody", "vctl vm lost", "vctk vm list", "false | true"] {
                let shell = try ExampleShell(lab, [example], Tables())
                withKnownIssue { try shell.run() }
            }
            let stale = try ExampleShell(lab, [], Tables(left: ["vctl gone": "it was once"]))
            withKnownIssue { try stale.run() }
        }

        @Test func whatIsNoExampleIsNoneAndNothingIsMissed() throws {
            let text = "text\n```sh\nvctl a  # why\n\n# only this\nb \\\n  c\n```\n```json\n{}\n```\n"
            #expect(Documented.commands(inMarkdown: text) == ["vctl a  # why", "b   c"])
            let page = ".SH EXAMPLES\n.EX\n    vctl \\-\\-a \\(aqb\\(aq \\(ti/c\\e\n.EE\n.SH OTHER\n    d\n"
            #expect(Documented.commands(inPage: page) == [#"vctl --a 'b' ~/c\"#])
        }
    }
}

/// What is different here than for someone who types the examples.
struct Tables: Sendable {
    /// A text that stands for what the reader has, and what it is here.
    var substitutions: [(text: String, here: @Sendable (ExampleShell) -> String)] = []
    /// Commands that cannot be run here, and why.
    var left: [String: String] = [:]
    /// Commands that go on until somebody ends them: they have to say something.
    var endless: Set<String> = []
    /// Commands whose exit code says how the host is, and what it may be.
    var codes: [String: Set<Int32>] = [:]
    /// What must be so before a command.
    var before: [String: @Sendable (Lab) throws -> Void] = [:]

    static let readme = Tables(
        substitutions: [
            (".build/lab/tiny.qcow2", { _ in "\(Lab.images)/tiny.qcow2" }),
            ("/tmp/vctl-trial", { "\($0.lab.files)/trial" }),
            ("ssh://ann@host2:2222", { _ in "ssh://127.0.0.1:2222" }),
            ("ssh://ann@host2 ", { _ in "ssh://127.0.0.1:2222 " }),
        ],
        left: [
            "make demo": "it starts a host of its own, and is a test by itself",
            "make release": "it builds for minutes",
            "make install": "it writes into the machine's /usr/local",
            "vctld": "it runs already",
            "make test": "it is what runs this",
        ],
        endless: [
            "vctld --state-dir /tmp/vctl-trial --socket /tmp/vctl-trial.sock --connect test:///default",
            "vctl event follow",
        ],
        codes: ["vctl host doctor": [0, 1]])

    static let manual = Tables(
        substitutions: [
            // The host shares these folders with the machine.
            ("/etc/bash_completion.d/", { _ in "./" }),
            ("/usr/local/share/zsh/site-functions/", { _ in "./" }),
            // The small guest has no systemd.
            ("systemctl is-active nginx", { _ in "uname -a" }),
            ("/srv/old.qcow2", { _ in "/var/lib/libvirt/images/old.qcow2" }),
        ],
        endless: ["vctl vm top --sort memory"],
        before: [
            "vctl network create lan --model bridged --bridge br0": { lab in
                try #require(lab.inside("ip", "link", "add", "br0", "type", "bridge").status == 0)
            },
            "vctl volume clone fast/golden fast/copy1": { lab in
                try lab.must("volume", "create", "fast/golden", "--size", "8M")
            },
            "vctl completion fish > ~/.config/fish/completions/vctl.fish": { lab in
                try Shell.must(["mkdir", "-p", "\(lab.files)/home/.config/fish/completions"])
            },
            "vctl exec web1 systemctl is-active nginx": { lab in
                try lab.must("vm", "wait", "web1", "--for", "agent", "--timeout", "3m")
            },
            // What a guest with these programs has.
            "vctl vm file pull web1 /var/log/syslog syslog.txt": { lab in
                try lab.must("exec", "web1", "--", "sh", "-c", "mkdir -p /var/log; echo up >/var/log/syslog")
            },
            "vctl vm file push web1 nginx.conf /etc/nginx/nginx.conf": { lab in
                try lab.must("exec", "web1", "--", "mkdir", "-p", "/etc/nginx")
            },
            "vctl vm start web1 --rescue-image debian": { lab in
                // Its root is in its memory: what was written there is looked at before it stops.
                let written = ["/etc/motd", "/etc/nginx/nginx.conf", "/home/ada/.ssh/authorized_keys"]
                let files = try lab.run(["exec", "web1", "--", "cat"] + written).lines
                let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample ann@web"
                #expect(files == ["hello", "events {}", key])
                try lab.must("vm", "stop", "web1", "--force")
            },
            "vctl profile set small --memory 2G --unset maxMemoryBytes": { lab in
                try lab.must("profile", "create", "small", "--max-memory", "4G")
            },
            "vctl profile create small --image debian --cpus 1 --memory 1G --user ada --ssh-key ada.pub": {
                lab in
                try lab.must("profile", "delete", "small", "--yes")
            },
            "vctl securitygroup set web --allow tcp/443 --disallow tcp/80": { lab in
                try lab.must("securitygroup", "create", "web", "--allow", "tcp/80")
            },
            #"vctl securitygroup create web --allow tcp/80 --allow "tcp/22 from 10.0.0.0/8" --allow icmp"#: {
                lab in
                try lab.must("securitygroup", "delete", "web", "--yes")
            },
            "vctl vm set web1 --user ada --ssh-key ada.pub": { lab in
                let user = "ada:x:1000:1000::/home/ada:/bin/sh"
                let make = "echo \(user) >>/etc/passwd; mkdir -p /home/ada"
                try lab.must("exec", "web1", "--", "sh", "-c", make)
            },
        ])
}

/// The commands that documents show.
enum Documented {
    static func readme() throws -> [String] {
        commands(inMarkdown: try String(contentsOfFile: "\(Lab.repository)/README.md", encoding: .utf8))
    }

    /// The examples of all manual pages, which are written into a folder for that.
    /// - Parameter first: the page whose examples make what the others use; they follow by their names.
    static func manual(folder: String, first: String) throws -> [String] {
        try Shell.must(["\(Lab.build)/vctl", "man", folder])
        let pages = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0 != first }
        return try ([first] + pages.sorted()).flatMap { name in
            commands(inPage: try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8))
        }
    }

    /// The lines of the blocks that are for a shell.
    static func commands(inMarkdown text: String) -> [String] {
        var commands: [String] = []
        var block: String?
        let joined = text.replacingOccurrences(of: "\\\n", with: "")
        for line in joined.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line.hasPrefix("```") {
                block = block == nil ? String(line.dropFirst(3)) : nil
            } else if let kind = block, ["sh", "bash", "shell", "console"].contains(kind),
                !line.isEmpty, !line.hasPrefix("#")
            {
                commands.append(line)
            }
        }
        return commands
    }

    /// The lines between `.EX` and `.EE`, as a reader of the page sees them.
    static func commands(inPage text: String) -> [String] {
        var commands: [String] = []
        var isExample = false
        for line in text.split(separator: "\n") {
            if line == ".EX" || line == ".EE" {
                isExample = line == ".EX"
            } else if isExample {
                let marks = [
                    "\\-": "-", "\\(aq": "'", "\\(ga": "`", "\\(ha": "^", "\\(ti": "~", "\\e": "\\",
                ]
                let shown = marks.reduce(String(line)) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
                commands.append(shown.trimmingCharacters(in: .whitespaces))
            }
        }
        return commands
    }
}

/// Types examples one after another inside the host, at a prompt with a home of its own.
final class ExampleShell {
    let lab: Lab
    private let examples: [String]
    private let tables: Tables
    private let far: SSHServer
    /// What `export` has set.
    private var exports: [String] = []
    private var used: Set<String> = []

    /// What is on standard input.
    static let input = "hello\n"

    init(_ lab: Lab, _ examples: [String], _ tables: Tables) throws {
        (self.lab, self.examples, self.tables) = (lab, examples, tables)
        far = try SSHServer(lab)
        try home(".profile", "")
    }

    deinit { far.end() }

    /// Puts a file into the home.
    func home(_ name: String, _ text: String) throws {
        let file = URL(fileURLWithPath: "\(lab.files)/home/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data((text + "\n").utf8).write(to: file)
    }

    /// Runs all; those that end have to end well.
    func run() throws {
        for example in examples {
            if tables.left[example] != nil {
                used.insert(example)
            } else {
                try run(example)
            }
        }
        let whole = Set(tables.left.keys).union(tables.endless).union(tables.codes.keys).union(
            tables.before.keys)
        #expect(
            used == whole.union(tables.substitutions.map(\.text)),
            "the tables name what is no example any more")
    }

    private func run(_ example: String) throws {
        if let prepare = tables.before[example] {
            used.insert(example)
            try prepare(lab)
        }
        if tables.endless.contains(example) {
            used.insert(example)
            return try runEndless(example)
        }
        let outcome = try Shell.run(
            command(example), input: Self.input, environment: ["VCTL_LAB": Lab.base], seconds: 400)
        let codes = tables.codes[example] ?? [0]
        if codes != [0] { used.insert(example) }
        #expect(codes.contains(outcome.status) && !outcome.err.contains("error:"), "\(example)\n\(outcome)")
        if example.hasPrefix("export ") { exports.append(here(example)) }
    }

    /// Ends it once it has said something; things happen meanwhile, for those that tell of them.
    private func runEndless(_ example: String) throws {
        let child = try Child(command("exec \(example)"), environment: ["VCTL_LAB": Lab.base])
        defer {
            child.signal(SIGTERM)
            if child.wait(seconds: 30) == nil { child.signal(SIGKILL) }
        }
        try eventually("\(example) says something", seconds: 90) {
            try lab.must("image", "import", "poke", "\(Lab.images)/tiny.qcow2")
            try lab.must("image", "delete", "poke", "--yes")
            let outcome = child.outcome(status: -1)
            #expect(!outcome.err.contains("error:"), "\(example)\n\(outcome)")
            return !(outcome.out + outcome.err).isEmpty
        }
    }

    private func here(_ example: String) -> String {
        tables.substitutions.reduce(example) { line, substitution in
            guard line.contains(substitution.text) else { return line }
            used.insert(substitution.text)
            return line.replacingOccurrences(of: substitution.text, with: substitution.here(self))
        }
    }

    private func command(_ example: String) -> [String] {
        let script = (["cd ~"] + exports + [here(example)]).joined(separator: "\n")
        let path = "\(far.programs):\(Lab.build):/usr/bin:/bin:/usr/sbin:/sbin"
        return lab.vhostCommand(
            "exec", lab.name, "env", "-i", "PATH=\(path)", "HOME=\(lab.files)/home", "bash", "-euo",
            "pipefail", "-c", script)
    }
}

extension Outcome {
    fileprivate func mustBeWell() throws {
        guard status == 0 else { throw ShellFailure(outcome: self, reason: "failed") }
    }
}
