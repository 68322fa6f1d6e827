// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Synchronization
import VctlClient

/// What the tests need and this machine or build does not have.
struct NotPrepared: Error, CustomStringConvertible {
    var missing: String
    var description: String { "\(missing); `make test` prepares everything and runs these tests (root)" }
}

/// A host in namespaces (`Tests/lab/vhost`) with a `vctld` inside, which tests may crash.
final class Lab: Sendable {
    /// The one of the suite that runs.
    @TaskLocal static var shared: Lab?

    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    /// The folder of the built programs.
    static let build: String = {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().path
    }()
    static let images =
        ProcessInfo.processInfo.environment["VCTL_LAB_IMAGES"] ?? "\(repository)/.build/lab"
    /// For guests whose kernel is booted directly. On a busy machine an emulated CPU stands still for so long
    /// that Linux takes its timer for broken, and panics (`no_timer_check` in its kernel-parameters.txt).
    static let kernelOptions = "console=ttyS0 quiet no_timer_check"
    /// The folder of all hosts of this run; short, since sockets are in it.
    static let base = ProcessInfo.processInfo.environment["VCTL_LAB"] ?? "/tmp/vctl-integration.\(getpid())"

    let name: String
    /// The folder of the host's state, as seen from outside.
    let root: String
    private let daemon = Mutex<Child?>(nil)

    var socket: String { "\(root)/run/vctld/vctld.sock" }
    /// `/var/lib/vctld` of the host.
    var state: String { "\(root)/vctl-lib" }
    /// `/var/lib/libvirt/images` of the host: the pool `default`.
    var pool: String { "\(root)/lib/images" }
    var daemonLog: String { "\(root).files/vctld.log" }
    /// A folder for the test's own files, the same inside and outside.
    var files: String { "\(root).files" }

    init(_ name: String) {
        self.name = name
        root = "\(Lab.base)/\(name)"
    }

    /// Boots a fresh host and starts the daemon in it.
    func start() throws {
        try Lab.checkPrepared()
        try? FileManager.default.removeItem(atPath: files)
        try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
        try vhost("start", "--fresh", name)
        try startDaemon()
    }

    /// Ends everything; the logs stay in `.build/integration-logs`.
    func delete() throws {
        try stopDaemon()
        keepLogs()
        try vhost("delete", name)
        try? FileManager.default.removeItem(atPath: files)
    }

    private func keepLogs() {
        let kept = "\(Lab.repository)/.build/integration-logs/\(name)"
        try? FileManager.default.removeItem(atPath: kept)
        try? FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
        for log in [daemonLog, "\(root)/log/libvirtd.log"] {
            let file = URL(fileURLWithPath: log).lastPathComponent
            try? FileManager.default.copyItem(atPath: log, toPath: "\(kept)/\(file)")
        }
    }

    static func checkPrepared() throws {
        guard geteuid() == 0 else { throw NotPrepared(missing: "these tests need root, for namespaces") }
        let guest = ["vmlinuz", "guest.gz", "guest-agent.gz", "tiny.qcow2"].map { "\(images)/\($0)" }
        for file in guest + ["vctl", "vctld", "vctl-guard"].map({ "\(build)/\($0)" })
        where !FileManager.default.fileExists(atPath: file) {
            throw NotPrepared(missing: "\(file) is not there")
        }
        let path = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        for tool in ["libvirtd", "virsh", "qemu-system-x86_64", "xorriso", "curl", "python3", "ssh", "sshd"]
        where !path.contains(where: { access("\($0)/\(tool)", X_OK) == 0 }) {
            throw NotPrepared(missing: "\(tool) is not installed")
        }
    }
}

extension Lab {
    /// Starts the daemon and waits until it serves and has begun to read libvirt.
    func startDaemon(ready: Bool = true) throws {
        let child = try Child(
            vhostCommand("exec", name, "\(Lab.build)/vctld"), environment: ["VCTL_LAB": Lab.base],
            log: daemonLog)
        daemon.withLock { $0 = child }
        if ready { try must("waitready", "--timeout", "60s") }
    }

    /// A crash: SIGKILL for the daemon itself. Returns when it is gone.
    func crash() throws { try end(with: SIGKILL) }

    /// An orderly stop by SIGTERM.
    func stopDaemon() throws { try end(with: SIGTERM) }

    private func end(with signal: Int32) throws {
        guard let child = daemon.withLock({ $0 }) else { return }
        kill(daemonProcess(below: child.pid), signal)
        guard child.wait(seconds: 60) != nil else {
            child.signal(SIGKILL)
            throw NotPrepared(missing: "vctld did not end within 60 s of signal \(signal)")
        }
        daemon.withLock { $0 = nil }
    }

    /// The daemon in the chain of programs that put it into the host; not the tools that it runs itself.
    private func daemonProcess(below pid: pid_t) -> pid_t {
        let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
        let children = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        guard name != "vctld\n", let child = children?.split(separator: " ").first.flatMap({ pid_t($0) })
        else { return pid }
        return daemonProcess(below: child)
    }

    private func daemonLines() -> [String] {
        let log = (try? String(contentsOfFile: daemonLog, encoding: .utf8)) ?? ""
        return log.split(separator: "\n").map(String.init)
    }

    func endOfDaemonLog() -> String { daemonLines().suffix(20).joined(separator: "\n") }

    /// What the daemon reported as an error of its own: there must be none.
    func internalErrors() -> [String] {
        daemonLines().filter {
            $0.contains(" error vctld:") || $0.contains(" critical vctld:") || $0.contains("Fatal error")
        }
    }

    func vhostCommand(_ arguments: String...) -> [String] {
        ["\(Lab.repository)/Tests/lab/vhost"] + arguments
    }

    /// Runs a verb of `vhost`.
    @discardableResult
    func vhost(_ arguments: String...) throws -> Outcome {
        try Shell.must(
            ["\(Lab.repository)/Tests/lab/vhost"] + arguments, environment: ["VCTL_LAB": Lab.base],
            seconds: 120)
    }
}
