// SPDX-License-Identifier: Apache-2.0

/// A tool of the host that did not do what it was run for.
struct ToolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// How it ended.
    enum Reason: Hashable, Sendable {
        /// It is not installed.
        case missing
        /// The system could not start it: an `errno`, 0 where it gave none.
        case notStarted(Int32)
        case exited(Int32)
        case signalled(Int32)
        /// It was still running at its deadline, and was killed.
        case timedOut(Duration)
        /// It printed more than was asked for, and was killed.
        case tooMuchOutput(Int)
        /// It ended well, but what it printed is not what it should be.
        case unreadableOutput
    }

    /// The tool's name, without its folder.
    let tool: String
    /// Its arguments, secrets replaced.
    let arguments: [String]
    let reason: Reason
    /// The end of what it said on stderr, for people; never to decide by.
    let stderr: String

    var description: String {
        let words = stderr.split(separator: "\n").suffix(3).joined(separator: "; ")
        return words.isEmpty ? "\(tool) \(verb)" : "\(tool) \(verb): \(words)"
    }

    private var verb: String {
        switch reason {
        case .missing: "is not installed"
        case .notStarted(let errno): "could not be started (errno \(errno))"
        case .exited(let status): "failed with status \(status)"
        case .signalled(let signal): "was ended by signal \(signal)"
        case .timedOut(let duration): "did not end within \(duration)"
        case .tooMuchOutput(let limit): "printed more than \(limit) bytes"
        case .unreadableOutput: "printed what cannot be read"
        }
    }

    /// The exit status, where it exited.
    var status: Int32? {
        if case .exited(let status) = reason { status } else { nil }
    }
}
