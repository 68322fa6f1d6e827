// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc

/// One process, told apart from a later one with the same pid: for a journal, so that a replay can prove the
/// old process gone before it writes to the same place.
struct ProcessRecord: Codable, Hashable, Sendable {
    let pid: Int32
    /// Clock ticks from boot to its start (`/proc/PID/stat`, field 22); `nil` where it was gone already.
    let startTime: UInt64?
    /// Which boot that was.
    let boot: String

    /// The process that has this pid now.
    init(running pid: Int32) {
        self.pid = pid
        startTime = Self.stat(pid)?.startTime
        boot = Self.currentBoot
    }

    /// Whether it still exists. A zombie does not: it can write no more.
    var isAlive: Bool {
        guard boot == Self.currentBoot, let startTime, let stat = Self.stat(pid) else { return false }
        return stat.startTime == startTime && stat.state != UInt8(ascii: "Z")
            && stat.state != UInt8(ascii: "X")
    }

    /// Kills it, with the process group that it leads, and waits until it is gone.
    /// - Returns: whether it is gone; `false` if the kernel holds it (a hung disk) beyond the deadline.
    func terminateAndWait(_ deadline: Duration = .seconds(10)) async -> Bool {
        let end = ContinuousClock.now + deadline
        while isAlive {
            if getpgid(pid) == pid { _ = kill(-pid, SIGKILL) }
            _ = kill(pid, SIGKILL)
            guard ContinuousClock.now < end else { return false }
            try? await Task.sleep(for: .milliseconds(5))
            // A cancelled task's sleep returns at once; the wait goes on, but lets others run.
            await Task.yield()
        }
        return true
    }

    /// The processes that were started with ``Tool/run`` of that name and still exist.
    static func find(run: String) -> [ProcessRecord] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let wanted = Array("VCTL_RUN=\(run)".utf8)
        return entries.compactMap(Int32.init).compactMap { pid in
            guard let environment = contents(of: "/proc/\(pid)/environ") else { return nil }
            guard environment.split(separator: 0).contains(where: { $0.elementsEqual(wanted) }) else {
                return nil
            }
            let record = ProcessRecord(running: pid)
            return record.isAlive ? record : nil
        }
    }

    /// Ends all that is left of a run. A replay of a step that runs a tool calls this first.
    /// - Returns: whether nothing is left.
    static func endAll(run: String) async -> Bool {
        var gone = true
        for record in find(run: run) where await !record.terminateAndWait() { gone = false }
        return gone
    }

    private static let currentBoot: String = {
        let text = contents(of: "/proc/sys/kernel/random/boot_id").map { String(decoding: $0, as: UTF8.self) }
        return String((text ?? "unknown").prefix { !$0.isWhitespace })
    }()

    private static func stat(_ pid: Int32) -> (state: UInt8, startTime: UInt64)? {
        guard let bytes = contents(of: "/proc/\(pid)/stat"),
            // The name may hold blanks and parentheses; the last one closes it.
            let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let start = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        return (state, start)
    }

    /// Reads a file of `/proc`, which has no size that could be asked for.
    private static func contents(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 || bytes.count > 1 << 20 { return bytes }
            bytes += buffer[..<count]
        }
    }
}
