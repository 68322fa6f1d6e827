// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc

/// One process, told apart from a later one with the same number, also one of a later start of the host.
public struct ProcessIdentity: Codable, Hashable, Sendable {
    public let pid: Int32
    /// Clock ticks from the host's start to its own (`/proc/PID/stat`, field 22); `nil` where it was gone
    /// already.
    public let startTime: UInt64?
    /// Which start of the host that was.
    public let boot: String

    /// The process that has this number now.
    public init(running pid: Int32) {
        self.pid = pid
        startTime = Self.stat(pid)?.startTime
        boot = BootClock.boot
    }

    /// Whether it still exists. A zombie does not: it does nothing more.
    public var isAlive: Bool {
        guard boot == BootClock.boot, let startTime, let stat = Self.stat(pid) else { return false }
        return stat.startTime == startTime && stat.state != UInt8(ascii: "Z")
            && stat.state != UInt8(ascii: "X")
    }

    private static func stat(_ pid: Int32) -> (state: UInt8, startTime: UInt64)? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
            // The name may hold blanks and parentheses; the last one closes it.
            let close = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let start = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        return (state, start)
    }
}
