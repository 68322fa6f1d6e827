// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc
import HostNet

/// A process in a journal, so that a replay can prove the old one gone before it writes to the same place.
typealias ProcessRecord = ProcessIdentity

extension ProcessIdentity {
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
