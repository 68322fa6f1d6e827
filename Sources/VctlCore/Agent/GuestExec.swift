// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A command in a guest, with its output as it comes.
struct GuestExec: Sendable {
    let agent: GuestAgent
    let request: VMExec

    /// What a command prints goes here, in pieces.
    typealias Sink = @Sendable (ExecOutput) async throws -> Void

    /// Starts it. What hangs, or cannot be started, is known when this returns.
    /// - Throws: ``Problem``.
    func start() async throws -> ExecRun {
        let prefix = "/tmp/.vctl-\(ObjectID())-"
        let arguments = GuestShell.arguments(
            prefix: prefix, directory: request.directory, command: request.command)
        let input = request.input?.bytes ?? []
        let isLong = input.count > GuestFile.pieceBytes
        do {
            if isLong { try await put(input, GuestShell.input(prefix)) }
            let process = try await start(GuestShell.path, arguments, isLong ? [] : input)
            return ExecRun(way: .followed(Follower(agent: agent, process: process, prefix: prefix)))
        } catch let problem as Problem where problem.errorCode == .agentFailed {
            // A guest without a shell, such as Windows.
            guard !isLong else { throw problem }
            return ExecRun(way: .plain(try await startPlainly()))
        }
    }

    private func put(_ bytes: [UInt8], _ path: String) async throws {
        try await GuestShell.start(GuestShell.makePrivate, [path], agent)
            .mustSucceed("the guest cannot keep what the command is to read")
        let file = try await GuestFile(path, .write, agent)
        try await file.write(bytes)
        try await file.close()
    }

    private func start(
        _ path: String, _ arguments: [String], _ input: [UInt8]
    ) async throws -> GuestProcess {
        let environment = (request.environment ?? [:]).sorted { $0.key < $1.key }.map {
            "\($0.key)=\($0.value)"
        }
        return try await GuestProcess(
            path, arguments, environment: environment, input: input, agent)
    }

    private func startPlainly() async throws -> GuestProcess {
        guard request.directory == nil else {
            throw Problem(
                .agentFailed, "the guest has no /bin/sh, without which a directory cannot be chosen",
                hint: "leave --cwd away")
        }
        return try await start(
            request.command[0], Array(request.command.dropFirst()), request.input?.bytes ?? [])
    }
}

/// A command that runs in a guest.
public struct ExecRun: Sendable {
    fileprivate enum Way: Sendable {
        /// Under the script, its output fetched as it comes.
        case followed(Follower)
        /// By itself, its output kept by the agent.
        case plain(GuestProcess)
    }

    fileprivate let way: Way

    /// Follows it to its end, passing on what it prints.
    /// - Returns: its exit status.
    /// - Throws: ``Problem``; what `sink` throws.
    public func run(_ sink: @Sendable (ExecOutput) async throws -> Void) async throws -> Int {
        switch way {
        case .followed(let follower): try await follower.run(sink)
        case .plain(let process): try await Self.wait(for: process, sink)
        }
    }

    private static func wait(for process: GuestProcess, _ sink: GuestExec.Sink) async throws -> Int {
        let end = try await process.wait()
        if !end.out.isEmpty { try await sink(.stdout(end.out)) }
        if !end.err.isEmpty { try await sink(.stderr(end.err)) }
        guard !end.isCut else {
            throw Problem(
                .agentFailed, "the command printed more than the guest's agent keeps (16 MiB)",
                hint: "let it print into a file, and fetch that: vctl vm file pull")
        }
        return end.status
    }
}

/// Longer and longer pauses between two looks at a program. A look takes the guest's time, too, and where it
/// has one CPU, that of what is looked at; so they are measured by how long its agent took for an answer.
struct Pause {
    private static let longest = Duration.milliseconds(250)
    private let unit: Duration
    private var quick: Int
    private var next: Duration

    /// - Parameters:
    ///   - answer: how long the agent took for an answer.
    ///   - quick: so many looks are made soon after each other, the first of them when the script of a
    ///     command is likely over.
    init(_ answer: Duration = .milliseconds(5), quick: Int = 0) {
        unit = min(max(answer, .milliseconds(5)), .milliseconds(40))
        self.quick = quick
        // Not in full proportion: an answer that was late for another reason must not make us late thrice.
        next = quick > 0 ? min(unit * 3, .milliseconds(16) + unit * 4 / 3) : unit
    }

    mutating func wait() async throws {
        try await Task.sleep(for: next)
        quick -= 1
        next = quick > 0 ? unit / 2 : min(next * 3 / 2, Self.longest)
    }
}

/// Fetches what a command prints while it runs, piece by piece.
private struct Follower: Sendable {
    let agent: GuestAgent
    let process: GuestProcess
    let prefix: String

    /// What is fetched of one stream.
    private struct Position {
        let stream: GuestShell.Stream
        var piece = 0
        var file: GuestFile?
        /// Bytes that were passed on.
        var passed = 0
    }

    func run(_ sink: GuestExec.Sink) async throws -> Int {
        var positions = positions
        var quick: GuestProcess.End?
        do {
            quick = try await quickEnd()
            if quick == nil { try await announce() }
        } catch {
            abandon(positions)
            throw error
        }
        if let quick { return try await finish(quick, positions, sink) }
        do {
            return try await follow(&positions, sink)
        } catch {
            abandon(positions)
            throw error
        }
    }

    /// Most commands end at once: then there is nothing to fetch.
    private func quickEnd() async throws -> GuestProcess.End? {
        let looks = 8
        var pause = Pause(process.answeredWithin, quick: looks)
        for _ in 0..<looks {
            try await pause.wait()
            if let end = try await end() { return end }
        }
        return nil
    }

    /// From here on there is a file of ours that the script may not have seen.
    private func announce() async throws {
        do {
            try await GuestFile(GuestShell.reader(prefix), .write, agent).close()
        } catch let problem as Problem where problem.errorCode == .agentFailed {
            guard await !agent.forbids("guest-file-open") else { throw problem }
            // No room for files: the agent keeps what is printed.
        }
    }

    /// Says that nobody follows any more. Not awaited: it is we who are cancelled, or the agent that hangs.
    private func abandon(_ positions: [Position]) {
        Task { [agent, prefix] in
            for position in positions { try await position.file?.close() }
            try await GuestFile(GuestShell.abandonment(prefix), .write, agent).close()
        }
    }

    private func follow(_ positions: inout [Position], _ sink: GuestExec.Sink) async throws -> Int {
        var pause = Pause(process.answeredWithin)
        while true {
            let end = try await end()
            var got = false
            // What the script has printed itself is not fetched again from what it has not removed yet.
            if end.map(isToFetch) ?? true {
                for index in positions.indices {
                    got = try await fetch(&positions[index], sink) || got
                }
            }
            if let end {
                let status = try await finish(end, positions, sink)
                if !isToFetch(end) { try await remove([GuestShell.reader(prefix)]) }
                return status
            }
            if got { pause = Pause(process.answeredWithin) } else { try await pause.wait() }
        }
    }

    /// How it ended, without the script's word that some of the output is lost.
    private func end() async throws -> GuestProcess.End? {
        guard var end = try await process.end() else { return nil }
        let loss = GuestShell.loss(prefix)
        while end.out.starts(with: loss) {
            end.out.removeFirst(loss.count)
            end.isCut = true
        }
        return end
    }

    /// Whether the script has left its output for us, and not printed it.
    private func isToFetch(_ end: GuestProcess.End) -> Bool { end.out == GuestShell.sign(prefix) }

    private var positions: [Position] { GuestShell.Stream.allCases.map { Position(stream: $0) } }

    private func finish(
        _ end: GuestProcess.End, _ positions: [Position], _ sink: GuestExec.Sink
    ) async throws -> Int {
        try await passRest(end, positions, sink)
        guard !end.isCut else {
            throw Problem(
                .agentFailed,
                "a part of what the command printed is lost, for the guest has no room in /tmp; its exit "
                    + "status was \(end.status)",
                hint: "make room there, or let it print into a file elsewhere")
        }
        return end.status
    }

    private func passRest(
        _ end: GuestProcess.End, _ positions: [Position], _ sink: GuestExec.Sink
    ) async throws {
        guard isToFetch(end) else {
            // The script printed it all itself: pass on what was not fetched before.
            for (position, bytes) in zip(positions, [end.out, end.err]) where bytes.count > position.passed {
                try await pass(Array(bytes.dropFirst(position.passed)), position.stream, sink)
            }
            for position in positions { try await position.file?.close() }
            return
        }
        var positions = positions
        for index in positions.indices {
            while try await fetch(&positions[index], sink) {}
            // Without a piece there was no room, or the command has mounted something over it.
            if positions[index].file == nil, await agent.forbids("guest-file-open") {
                throw Problem(
                    .agentFailed, "the guest's agent opens no files, so what the command printed is lost",
                    hint: "let it print less, or into a file")
            }
            try await positions[index].file?.close()
        }
        try await tidyUp(positions)
    }

    /// Passes on what there is of a stream by now.
    /// - Returns: whether there was something.
    private func fetch(_ position: inout Position, _ sink: GuestExec.Sink) async throws -> Bool {
        if position.file == nil { position.file = try await open(position.stream, position.piece) }
        guard let file = position.file else { return false }
        if try await copy(file, &position, sink) { return true }
        guard let next = try await open(position.stream, position.piece + 1) else { return false }
        // The pump has gone on to the next piece: what it has written here meanwhile is the rest.
        while try await copy(file, &position, sink) {}
        try await turn(&position, to: next)
        return true
    }

    private func copy(_ file: GuestFile, _ position: inout Position, _ sink: GuestExec.Sink) async throws
        -> Bool
    {
        let bytes = try await file.read()
        guard !bytes.isEmpty else { return false }
        try await pass(bytes, position.stream, sink)
        position.passed += bytes.count
        return true
    }

    /// `nil`: there is no such piece yet.
    private func open(_ stream: GuestShell.Stream, _ piece: Int) async throws -> GuestFile? {
        do {
            return try await GuestFile(GuestShell.piece(prefix, stream, piece), .read, agent)
        } catch let problem as Problem where problem.errorCode == .agentFailed {
            return nil
        }
    }

    /// Goes on to the next piece; the emptied one tells the pump that there is room again.
    private func turn(_ position: inout Position, to next: GuestFile) async throws {
        try await position.file?.close()
        let path = GuestShell.piece(prefix, position.stream, position.piece)
        try await GuestFile(path, .write, agent).close()
        (position.piece, position.file) = (position.piece + 1, next)
    }

    private func tidyUp(_ positions: [Position]) async throws {
        var files = [prefix + "s", GuestShell.reader(prefix)]
        for position in positions {
            let left = max(0, position.piece - GuestShell.pieces)...position.piece + 1
            files += left.map { GuestShell.piece(prefix, position.stream, $0) }
        }
        try await remove(files)
    }

    private func remove(_ files: [String]) async throws {
        try await GuestShell.start(GuestShell.remove, files, agent).wait(seconds: 60)
    }

    private func pass(_ bytes: [UInt8], _ stream: GuestShell.Stream, _ sink: GuestExec.Sink) async throws {
        try await sink(stream == .out ? .stdout(bytes) : .stderr(bytes))
    }
}
