// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc

/// What a command printed, and how it ended.
struct Outcome: Sendable, CustomStringConvertible {
    var command: [String]
    /// The exit code; of a process that a signal ended, 128 and the signal.
    var status: Int32
    var out: String
    var err: String

    var description: String { "$ \(command.joined(separator: " "))\n[exit \(status)]\n\(out)\(err)" }

    /// The lines of standard output without their ends.
    var lines: [String] { out.split(whereSeparator: \.isNewline).map(String.init) }

    /// Standard output without white space around it.
    var text: String { out.trimmingCharacters(in: .whitespacesAndNewlines) }
}

/// A command that did not end in time, or did not end well where it had to.
struct ShellFailure: Error, CustomStringConvertible {
    var outcome: Outcome
    var reason: String
    var description: String { "\(reason)\n\(outcome)" }
}

/// Runs programs; each has a deadline, so that a hung one fails its test and not the whole run.
enum Shell {
    /// Runs a command to its end and gives what it printed, however it ended.
    /// - Throws: ``ShellFailure`` when it does not end within `seconds`; it is killed then.
    @discardableResult
    static func run(
        _ command: [String], input: String = "", environment: [String: String] = [:], seconds: Double = 120
    ) throws -> Outcome {
        let child = try Child(command, input: input, environment: environment)
        guard let status = child.wait(seconds: seconds) else {
            child.signal(SIGKILL)
            _ = child.wait(seconds: 10)
            throw ShellFailure(outcome: child.outcome(status: -1), reason: "did not end within \(seconds) s")
        }
        return child.outcome(status: status)
    }

    /// Runs a command that has to end with 0.
    @discardableResult
    static func must(
        _ command: [String], input: String = "", environment: [String: String] = [:], seconds: Double = 120
    ) throws -> Outcome {
        let outcome = try run(command, input: input, environment: environment, seconds: seconds)
        guard outcome.status == 0 else { throw ShellFailure(outcome: outcome, reason: "failed") }
        return outcome
    }
}

/// A process of ours, with its output in files: nothing blocks on a pipe that a grandchild keeps open.
final class Child: Sendable {
    let command: [String]
    let pid: pid_t
    private let folder: String

    /// - Parameter log: a file that the output is appended to, instead of being kept apart.
    init(_ command: [String], input: String = "", environment: [String: String] = [:], log: String? = nil)
        throws
    {
        self.command = command
        folder = "/tmp/vctl-child-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(input.utf8).write(to: URL(fileURLWithPath: "\(folder)/in"))
        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        pid = try spawn(
            command, environment: merged.map { "\($0)=\($1)" }, input: "\(folder)/in",
            out: log ?? "\(folder)/out", err: log ?? "\(folder)/err")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Sends it a signal.
    func signal(_ number: Int32) { kill(pid, number) }

    /// Its exit code, or nil while it still runs after so many seconds. Not to be called again after that.
    func wait(seconds: Double) -> Int32? {
        var status: Int32 = 0
        let end = Clock.now + seconds
        while true {
            let result = waitpid(pid, &status, WNOHANG)
            if result == pid { return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F) }
            if result < 0 && errno != EINTR { return nil }
            if Clock.now > end { return nil }
            usleep(10_000)
        }
    }

    /// What it has printed up to now.
    func outcome(status: Int32) -> Outcome {
        Outcome(command: command, status: status, out: text(of: "out"), err: text(of: "err"))
    }

    private func text(of name: String) -> String {
        let data = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}

/// Seconds of the monotonic clock.
enum Clock {
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Starts a process with the given files, found in PATH, in a process group of its own.
private func spawn(
    _ command: [String], environment: [String], input: String, out: String, err: String
) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Swift's threads block signals, and a child would inherit that.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
    var child = pid_t()
    let result = withStrings(command) { arguments in
        withStrings(environment) { posix_spawnp(&child, command[0], &actions, &attributes, arguments, $0) }
    }
    guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: result) ?? .EINVAL) }
    return child
}

/// Lends texts as C's null-terminated array of strings.
private func withStrings<T>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> T) -> T {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}
