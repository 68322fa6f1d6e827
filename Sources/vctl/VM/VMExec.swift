// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import Glibc
import VctlAPI
import VctlClient

/// `vctl vm exec`.
struct VMExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a command in a guest, by its agent.",
        discussion: """
            The options come before the VM's name; all behind it is the command, which no shell looks at. Its
            output comes as it is printed, and its exit status is vctl's; 125 is a failure of vctl's own. It
            runs as the agent does, most often as root, with a umask of 022. In a guest without room in /tmp
            the output comes at the end, and at most 16 MiB of it.
            A status that no process here can end with, as guests with Windows have them, becomes 255.

            vctl exec web1 systemctl is-active nginx
            vctl vm exec --stdin web1 tee /etc/motd
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption

    @Option(
        name: .customLong("env"), help: .init("A variable for it; may be repeated.", valueName: "name=value"),
        transform: Parse.keyValue)
    var environment: [KeyValue] = []

    @Option(name: .customLong("cwd"), help: .init("The directory in which it runs.", valueName: "path"))
    var directory: String?

    @Flag(name: .customLong("stdin"), help: "Give it what is on standard input, up to its end.")
    var stdin = false

    @Argument(help: .init("Name or UUID.", valueName: "name"), completion: Live.vms)
    var name: String

    @Argument(parsing: .captureForPassthrough, help: .init("The command.", valueName: "command"))
    var command: [String]

    /// The exit status of a failure that is not the command's.
    static let failed: Int32 = 125
    /// As much input as a request may hold, as base64.
    private static let mostInput = 700 << 10

    func run() throws {
        do {
            try stream(try body())
        } catch let ended as GuestEnded {
            throw ended
        } catch {
            let failure = Failure(error)
            guard failure.exit != .usage, failure.exit != .interrupted else { throw failure }
            for line in failure.lines { Standard.error(line) }
            throw GuestEnded(status: Self.failed)
        }
    }

    private func body() throws -> VMExec {
        _ = try Reference(checking: name)
        let words = command.first == "--" ? Array(command.dropFirst()) : command
        guard !words.isEmpty else {
            throw Failure.usage("there is no command", hint: "vctl exec \(shown(name)) uname -a")
        }
        var exec = VMExec(command: words)
        exec.directory = directory
        if !environment.isEmpty {
            exec.environment = Dictionary(environment.map { ($0.key, $0.value) }) { $1 }
        }
        if stdin {
            do {
                exec.input = Base64(try Files.bytes("-", limit: Self.mostInput))
            } catch FileError.tooLarge {
                throw Failure.usage(
                    "the input is longer than \(ByteCount.human(Int64(Self.mostInput)))",
                    hint: "vctl vm file push \(shown(name)) FILE /tmp/input, and let the command read that")
            }
        }
        return exec
    }

    private func stream(_ exec: VMExec) throws {
        let client = connect.client()
        client.interrupts = Interrupts()
        let request = try Request(Endpoints.named("vm.exec"), [name]).json(exec)
        let body = try client.content(request, until: timeout.deadline)
        var lines = Lines()
        while let part = try body.next(until: timeout.deadline) {
            for line in lines.add(part) {
                try show(try JSONDecoder().decode(ExecLine.self, from: Data(line)))
            }
        }
        throw ClientError.lost(socket: client.socket)
    }

    private func show(_ line: ExecLine) throws {
        if let out = line.stdout { Standard.out(out.bytes) }
        if let err = line.stderr { Standard.errorBytes(err.bytes) }
        if let problem = line.error { throw problem }
        if let exit = line.exit { throw GuestEnded(status: Self.status(exit)) }
    }

    /// `exit` passes on 8 bits, of which a failure could have none.
    private static func status(_ exit: Int) -> Int32 { (0...255).contains(exit) ? Int32(exit) : 255 }
}

/// Cuts a stream of bytes into lines.
struct Lines {
    private var rest: [UInt8] = []

    /// The lines that are whole by now, without their ends.
    mutating func add(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: 0x0A) {
            lines.append(rest + bytes[start..<end])
            rest = []
            start = end + 1
        }
        rest += bytes[start...]
        return lines
    }
}
