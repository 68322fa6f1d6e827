// SPDX-License-Identifier: Apache-2.0
import CHost
import FoundationEssentials
import Glibc

/// A TAP that is to be there until somebody removes it.
public struct TAPSpec: Hashable, Sendable {
    public var name: String
    /// So many times it may be opened at once.
    public var queues: Int
    /// Who may open it beside those who administer the network.
    public var owner: UInt32?

    /// A TAP of that name.
    public init(name: String, queues: Int = 1, owner: UInt32? = nil) {
        self.name = name
        self.queues = queues
        self.owner = owner
    }
}

/// What only TAPs have, in the network namespace of the thread that asks.
public enum TAPs {
    /// Makes a persistent TAP, off, without alias and bridge.
    /// - Throws: ``HostNetError``: `EBUSY` where the name is taken, `EPERM`, `ENOENT` without `/dev/net/tun`.
    public static func make(_ spec: TAPSpec) throws {
        guard chost_make_tap(spec.name, Int32(spec.queues), spec.owner.map { Int($0) } ?? -1) == 0 else {
            let reason = errno
            throw HostNetError(
                call: "create TAP \(spec.name)", errno: reason, message: String(cString: strerror(reason)))
        }
    }

    /// The user who may open a TAP.
    public static func owner(of name: String) -> UInt32? {
        // -1 where there is none.
        attribute("owner", of: name).flatMap { UInt32($0) }
    }

    /// Whether a TAP may be opened several times at once.
    public static func isMultiQueue(_ name: String) -> Bool {
        let flag = 0x100
        let flags = attribute("tun_flags", of: name).flatMap { Int($0.dropFirst(2), radix: 16) }
        return (flags ?? 0) & flag != 0
    }

    private static func attribute(_ attribute: String, of name: String) -> String? {
        let data = FileManager.default.contents(atPath: "/sys/class/net/\(name)/\(attribute)")
        return data.map { String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self) }
    }

    /// A process that has a TAP open: its number and its name.
    public struct Opener: Hashable, Sendable {
        public var pid: Int
        public var name: String
    }

    /// The processes that have a TAP open, as far as they can be seen from here.
    public static func openers(of tap: String) -> [Opener] {
        let files = FileManager.default
        let numbers = ((try? files.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int($0) }
        return numbers.sorted().compactMap { pid in
            let names = (try? files.contentsOfDirectory(atPath: "/proc/\(pid)/fdinfo")) ?? []
            guard names.contains(where: { isOpen(tap, "/proc/\(pid)/fd/\($0)", "/proc/\(pid)/fdinfo/\($0)") })
            else { return nil }
            let name = files.contents(atPath: "/proc/\(pid)/comm") ?? Data()
            return Opener(
                pid: pid, name: String(decoding: name.prefix { $0 != 0x0A }, as: UTF8.self))
        }
    }

    private static func isOpen(_ tap: String, _ file: String, _ information: String) -> Bool {
        guard (try? FileManager.default.destinationOfSymbolicLink(atPath: file)) == "/dev/net/tun",
            let data = FileManager.default.contents(atPath: information)
        else { return false }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").contains("iff:\t\(tap)")
    }
}
