// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One run of a program of the host: its arguments go to it as they are, never through a shell.
struct Tool: Sendable {
    /// Its name, looked up in the usual folders, or an absolute path.
    var name: String
    var arguments: [String]
    /// Arguments that must appear in no error or log.
    var secrets: Set<Int> = []
    /// When it is killed; without it a caller's cancellation is the only end.
    var deadline: Duration?
    /// What it may use at most, for input that nobody trusts.
    var limits: Limits?
    /// Names this run in the process's environment, so that ``ProcessRecord/find(run:)`` finds it after a
    /// crash of ours, even one before its pid was written down.
    var run: String?
    /// The most that it may print on stdout.
    var outputLimit = 16 << 20
    /// More of its environment, which otherwise is `PATH` and `LC_ALL=C`.
    var environment: [String: String] = [:]

    init(_ name: String, _ arguments: [String], deadline: Duration? = nil) {
        self.name = name
        self.arguments = arguments
        self.deadline = deadline
    }

    /// Limits of one process (setrlimit).
    struct Limits: Hashable, Sendable {
        /// Bytes of address space.
        var addressSpace: Int64
        /// Seconds of CPU time.
        var cpuSeconds: Int

        /// For reading an image's header: far more than an honest one needs.
        static let untrustedImage = Limits(addressSpace: 1 << 30, cpuSeconds: 30)
    }

    /// Where programs are, whatever `PATH` the daemon was started with.
    static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The absolute path of a program; `nil` if it is not installed.
    static func locate(_ name: String) -> String? {
        if name.hasPrefix("/") { return access(name, X_OK) == 0 ? name : nil }
        return searchPath.split(separator: ":").lazy.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// The error of this run.
    func error(_ reason: ToolError.Reason, stderr: String = "") -> ToolError {
        let shown = arguments.enumerated().map { secrets.contains($0.offset) ? "«secret»" : $0.element }
        let tool = name.split(separator: "/").last.map(String.init) ?? name
        return ToolError(tool: tool, arguments: shown, reason: reason, stderr: stderr)
    }

    /// The command with what goes before it.
    ///
    /// The tool must not outlive the daemon: a replay may write where it still writes. `setpriv` has the
    /// kernel kill it when its parent is gone; the setting survives the exec. The kernel's "parent" is the
    /// *thread* that forked. swift-subprocess forks on one thread of its own, which lives as long as the
    /// process, so that no end of another thread kills a tool; ToolSupervisionTests hold it to that. What
    /// dies between fork and setpriv is found by ``run``.
    func command() throws(ToolError) -> [String] {
        guard let path = Self.locate(name) else { throw error(.missing) }
        guard let setpriv = Self.locate("setpriv") else { throw Tool("setpriv", []).error(.missing) }
        var words = [setpriv, "--pdeathsig", "KILL", "--"]
        if let limits {
            guard let prlimit = Self.locate("prlimit") else { throw Tool("prlimit", []).error(.missing) }
            words += [prlimit, "--as=\(limits.addressSpace)", "--cpu=\(limits.cpuSeconds)", "--"]
        }
        return words + [path] + arguments
    }
}
