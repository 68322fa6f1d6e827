// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What a running tool has printed so far, and why it was killed, if it was.
final class ToolSink: Sendable {
    private struct State {
        var stdout: [UInt8] = []
        var line: [UInt8] = []
        var stderr: [UInt8] = []
        var killed: ToolError.Reason?
        var ended = false
        var watch: Task<Void, Never>?
    }

    /// The longest line that is told, in bytes; the rest of a longer one begins a new line.
    private static let lineLimit = 64 << 10

    private let state = Mutex(State())
    private let limit: Int
    private let onLine: (@Sendable (String) -> Void)?

    init(limit: Int, onLine: (@Sendable (String) -> Void)?) {
        self.limit = limit
        self.onLine = onLine
    }

    /// Takes a piece of stdout; `false` once there is more than was asked for.
    func takeOutput(_ bytes: [UInt8]) -> Bool {
        guard let onLine else { return collect(bytes) }
        let lines = state.withLock { Self.lines(of: bytes, after: &$0.line) }
        for line in lines { onLine(line) }
        return true
    }

    private func collect(_ bytes: [UInt8]) -> Bool {
        state.withLock {
            guard $0.stdout.count + bytes.count <= limit else { return false }
            $0.stdout += bytes
            return true
        }
    }

    private static func lines(of bytes: [UInt8], after rest: inout [UInt8]) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            let ends = byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
            if !ends { rest.append(byte) }
            guard ends || rest.count >= lineLimit, !rest.isEmpty else { continue }
            lines.append(String(decoding: rest, as: UTF8.self))
            rest.removeAll(keepingCapacity: true)
        }
        return lines
    }

    /// Takes a piece of stderr; only the end of it all is kept.
    func takeErrors(_ bytes: [UInt8]) {
        state.withLock {
            $0.stderr += bytes
            if $0.stderr.count > 2 * Tool.stderrLimit {
                $0.stderr.removeFirst($0.stderr.count - Tool.stderrLimit)
            }
        }
    }

    /// Watches over the run until ``end()``.
    func watch(_ body: @escaping @Sendable () async throws -> Void) {
        let task = Task<Void, Never> { try? await body() }
        let ended = state.withLock {
            $0.watch = task
            return $0.ended
        }
        if ended { task.cancel() }
    }

    /// Notes why it is killed, and kills it: only while it has not ended, for then its pid may be another's.
    func kill(_ reason: ToolError.Reason, _ kill: () -> Void) {
        state.withLock {
            guard !$0.ended else { return }
            $0.killed = $0.killed ?? reason
            kill()
        }
    }

    /// The process is gone.
    func end() {
        let (watch, rest) = state.withLock { state in
            state.ended = true
            defer { state.line = [] }
            return (state.watch, state.line)
        }
        watch?.cancel()
        if let onLine, !rest.isEmpty { onLine(String(decoding: rest, as: UTF8.self)) }
    }

    var killed: ToolError.Reason? { state.withLock { $0.killed } }
    var text: String { String(decoding: stdout, as: UTF8.self) }
    var stdout: [UInt8] { state.withLock { $0.stdout } }
    var stderr: String {
        String(decoding: state.withLock { $0.stderr }.suffix(Tool.stderrLimit), as: UTF8.self)
    }
}
