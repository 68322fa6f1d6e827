// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// `vctl vm console`.
struct VMConsole: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Use a VM's serial console; Ctrl-] leaves it.",
        discussion: """
            One types, any number watch: a second one who wants to type is told who does. A standard input
            that is no terminal is typed, and the output followed until --timeout or the end of the VM.

            A serial line knows no size of a window. --send-size types "stty rows R cols C" and Enter, once,
            which makes sense at a shell's prompt and nowhere else.

            On a terminal --log shows what a guest printed with its control sequences made visible, colours
            aside: nobody who reads a log expects it to drive the terminal. --raw passes them on, as a console
            does.
            """)

    @OptionGroup var connect: ConnectOptions
    @OptionGroup var timeout: TimeoutOption

    @Argument(help: .init("Name or UUID.", valueName: "name"), completion: Live.vms)
    var name: String

    @Flag(name: .customLong("read-only"), help: "Watch, and type nothing.")
    var readOnly = false

    @Flag(name: .customLong("force"), help: "Put out who types now.")
    var force = false

    @Flag(name: .customLong("log"), help: "Print what was kept, and end.")
    var log = false

    @Flag(name: .customLong("follow"), help: "With --log: go on as more is printed.")
    var follow = false

    @Flag(name: .customLong("raw"), help: "With --log: control sequences as they are, on a terminal too.")
    var raw = false

    @Option(
        name: .customLong("tail"),
        help: .init("Begin with the last so many bytes of the log, 4K without it.", valueName: "size"),
        transform: Self.tailSize)
    var tail: Int64?

    @Option(
        name: .customLong("escape"),
        help: .init("The key that leaves: ^] for Ctrl-], one character, or none.", valueName: "key"),
        transform: EscapeKey.init)
    var escape = EscapeKey.usual

    @Flag(name: .customLong("send-size"), help: "Type the terminal's size for the guest's shell.")
    var sendSize = false

    static func tailSize(_ text: String) throws -> Int64 { text == "0" ? 0 : try Parse.size(text).bytes }

    func run() throws {
        _ = try Reference(checking: name)
        try checkCombination()
        if log { return try printLog() }
        let size = try sendSize ? sizeCommand() : []
        let client = connect.client()
        // Ctrl-C belongs to the guest, unless nothing is typed to it.
        let interrupts = readOnly && Standard.inIsTerminal ? Interrupts() : nil
        let channel = try client.upgrade(request, to: Wire.stream, until: timeout.deadline)
        let session = ConsoleSession(
            channel, deadline: timeout.deadline, escape: escape, types: !readOnly, first: size,
            interrupts: interrupts)
        if try !session.run() { try ConsoleEnding(client, name, channel).explain() }
    }

    private func checkCombination() throws {
        guard log || !(follow || raw) else { throw Failure.usage("--follow and --raw go with --log") }
        guard !log || !(readOnly || force || sendSize) else {
            throw Failure.usage("--log only prints; --read-only, --force and --send-size are for a console")
        }
        guard !(readOnly && (force || sendSize)) else {
            throw Failure.usage("--read-only types nothing, and so needs neither --force nor --send-size")
        }
    }

    private var request: Request {
        var query = [("tail", "\(tail ?? 4096)")]
        if readOnly { query.append(("readOnly", "true")) }
        if force { query.append(("force", "true")) }
        return Request(Endpoints.named("vm.console"), [name], query: query)
    }

    private func sizeCommand() throws -> [UInt8] {
        guard let size = RawTerminal.size else {
            throw Failure.usage("--send-size needs a terminal on standard input")
        }
        return Array("stty rows \(size.rows) cols \(size.columns)\r".utf8)
    }

    private func printLog() throws {
        let client = connect.client()
        var query: [(String, String)] = []
        if follow { query.append(("follow", "true")) }
        if let tail { query.append(("tail", "\(tail)")) }
        let request = Request(Endpoints.named("vm.console.log"), [name], query: query)
        let body = try client.content(request, until: timeout.deadline)
        var filter = Standard.outIsTerminal && !raw ? TerminalFilter() : nil
        while let part = try body.next(until: timeout.deadline) { Standard.out(filter?.pass(part) ?? part) }
        if let end = filter?.finish() { Standard.out(end) }
    }
}

/// Why a console ended: its stream of bytes has no room for that.
struct ConsoleEnding {
    private let client: Client
    private let name: String
    private let session: String?

    init(_ client: Client, _ name: String, _ channel: ByteChannel) {
        self.client = client
        self.name = name
        session = channel.head[Wire.session]
    }

    /// - Throws: ``Problem`` where it was not the VM that ended.
    func explain() throws {
        let request = Request(Endpoints.named("vm.console.show"), [name])
        let limit = Deadline.after(seconds: 10, throwing: .lost(socket: client.socket))
        guard let status = try? client.send(request, until: limit).decoded(as: ConsoleStatus.self),
            let end = status.ended.first(where: { $0.session.rawValue == session })
        else { throw ClientError.lost(socket: client.socket) }
        if end.code == ErrorCode.vmState.rawValue { return Standard.error(shown(end.detail, limit: 500)) }
        throw Failure(
            message: end.detail, code: end.code, hint: end.hint,
            exit: ErrorCode(rawValue: end.code).flatMap { ExitCode(rawValue: $0.exitCode) } ?? .failed)
    }
}
