// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet
import Subprocess

/// What a tool printed, once it ended well.
struct ToolOutput: Hashable, Sendable {
    /// Empty where its lines were asked for.
    let stdout: [UInt8]
    /// The end of stderr.
    let stderr: String

    var text: String { String(decoding: stdout, as: UTF8.self) }
}

extension Tool {
    /// The most of stderr that is kept, in bytes.
    static let stderrLimit = 64 << 10

    /// Runs it to its end.
    /// - Parameters:
    ///   - onLine: told each line of stdout as it comes; lines end at CR or LF. Without it stdout is
    ///     collected.
    ///   - onStart: told the process as soon as there is one, to be written into a journal; if it throws, the
    ///     tool is killed.
    /// - Throws: ``ToolError``; `CancellationError` when the task was cancelled, once the tool and what it
    ///   started are gone; what `onStart` throws.
    @discardableResult
    func run(
        onLine: (@Sendable (String) -> Void)? = nil,
        onStart: (@Sendable (ProcessRecord) async throws -> Void)? = nil
    ) async throws -> ToolOutput {
        let sink = ToolSink(limit: outputLimit, onLine: onLine)
        try await run(into: sink, onStart: onStart)
        return ToolOutput(stdout: sink.stdout, stderr: sink.stderr)
    }

    private func run(
        into sink: ToolSink, onStart: (@Sendable (ProcessRecord) async throws -> Void)?
    ) async throws {
        try Task.checkCancellation()
        let command = try command()
        defer { sink.end() }
        do {
            let status = try await execute(command, sink, onStart)
            sink.end()
            try check(status, sink)
        } catch let failure as SubprocessError {
            try Task.checkCancellation()
            if let reason = sink.killed { throw error(reason, stderr: sink.stderr) }
            throw error(.notStarted(failure.underlyingError.map(number) ?? 0))
        }
    }

    /// How a program ended whose exit status is an answer.
    struct Answer: Hashable, Sendable {
        /// 0 to 255.
        let status: Int32
        /// All of stdout.
        let output: String
        /// The end of stderr.
        let errors: String
    }

    /// Runs a program to its end, whatever its exit status.
    /// - Throws: ``ToolError`` where it could not be started or was ended by a signal; `CancellationError`.
    static func run(_ name: String, _ arguments: [String], deadline: Duration? = nil) async throws -> Answer {
        try await Tool(name, arguments, deadline: deadline).answer()
    }

    /// Runs it to its end, whatever its exit status.
    /// - Throws: as ``run(_:_:deadline:)``.
    func answer() async throws -> Answer {
        let sink = ToolSink(limit: outputLimit, onLine: nil)
        do {
            try await run(into: sink, onStart: nil)
            return Answer(status: 0, output: sink.text, errors: sink.stderr)
        } catch let error as ToolError {
            guard let status = error.status else { throw error }
            return Answer(status: status, output: sink.text, errors: sink.stderr)
        }
    }

    private func check(_ status: TerminationStatus, _ sink: ToolSink) throws {
        if let reason = sink.killed { throw error(reason, stderr: sink.stderr) }
        if !status.isSuccess { try Task.checkCancellation() }
        switch status {
        case .exited(0): return
        case .exited(let code): throw error(.exited(code), stderr: sink.stderr)
        case .signaled(let signal): throw error(.signalled(signal), stderr: sink.stderr)
        }
    }

    private func execute(
        _ command: [String], _ sink: ToolSink, _ onStart: (@Sendable (ProcessRecord) async throws -> Void)?
    ) async throws -> TerminationStatus {
        try await Subprocess.run(
            .name(Self.name(of: command[0])), arguments: Arguments(Array(command.dropFirst())),
            environment: processEnvironment(in: Self.folder(of: command[0])),
            platformOptions: Self.options, input: .none, output: .sequence, error: .sequence
        ) { process in
            try await follow(process, sink, onStart)
        }.terminationStatus
    }

    /// A path's last part: swift-subprocess looks it up in our own search path, and refuses a name with a
    /// slash.
    private static func name(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    private static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    /// - Parameter folder: where the program is; first in the search path, because swift-subprocess forks
    ///   once for each folder that it tries.
    private func processEnvironment(in folder: String) -> Environment {
        let path = folder.isEmpty ? Self.searchPath : "\(folder):\(Self.searchPath)"
        var values: [Environment.Key: String] = ["PATH": path, "LC_ALL": "C"]
        for (key, value) in environment { values[Environment.Key(rawValue: key) ?? "VCTL"] = value }
        if let run { values["VCTL_RUN"] = run }
        return .custom(values)
    }

    /// A session of its own, so that a signal reaches what the tool starts, and only that.
    private static var options: PlatformOptions {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        return options
    }

    private func follow(
        _ process: Execution<NoInput, SequenceOutput, SequenceOutput>, _ sink: ToolSink,
        _ onStart: (@Sendable (ProcessRecord) async throws -> Void)?
    ) async throws {
        let kill: @Sendable () -> Void = { try? process.send(signal: .kill, toProcessGroup: true) }
        if let deadline {
            sink.watch {
                try await Task.sleep(for: deadline)
                sink.kill(.timedOut(deadline), kill)
            }
        }
        if let onStart { try await onStart(ProcessRecord(running: process.processIdentifier.value)) }
        async let errors: Void = {
            for try await piece in process.standardError {
                sink.takeErrors(piece.withUnsafeBytes { Array($0) })
            }
        }()
        for try await piece in process.standardOutput {
            if sink.takeOutput(piece.withUnsafeBytes { Array($0) }) { continue }
            sink.kill(.tooMuchOutput(outputLimit), kill)
            break
        }
        try await errors
    }
}

/// The number behind an `Errno`, whose own module is not among our dependencies.
private func number<Code: RawRepresentable<Int32>>(_ code: Code) -> Int32 { code.rawValue }
