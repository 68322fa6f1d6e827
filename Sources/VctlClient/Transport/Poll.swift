// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Waiting for file descriptors.
public enum Poll {
    /// A file descriptor and what is waited for.
    public struct Wish: Sendable {
        let descriptor: Int32
        let events: Int16

        /// Waits for bytes, or for the end.
        public static func readable(_ descriptor: Int32) -> Wish {
            Wish(descriptor: descriptor, events: Int16(POLLIN))
        }
        /// Waits for room.
        public static func writable(_ descriptor: Int32) -> Wish {
            Wish(descriptor: descriptor, events: Int16(POLLOUT))
        }
    }

    /// Waits until at least one wish comes true, and says which did.
    /// - Throws: the deadline's error, or ``ClientError/interrupted``.
    public static func wait(_ wishes: [Wish], until deadline: Deadline, _ interrupts: Interrupts?) throws
        -> [Bool]
    {
        var list = wishes.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
        if let interrupts {
            list.append(pollfd(fd: interrupts.descriptor, events: Int16(POLLIN), revents: 0))
        }
        while true {
            let count = poll(&list, nfds_t(list.count), deadline.pollMilliseconds)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ClientError.malformed("poll: \(String(cString: strerror(errno)))") }
            if interrupts != nil, list[list.count - 1].revents != 0 { throw ClientError.interrupted }
            if count > 0 { return list.prefix(wishes.count).map { $0.revents != 0 } }
            if deadline.hasPassed { throw deadline.error }
        }
    }

    /// Sleeps, unless the deadline or Ctrl-C comes first.
    /// - Throws: the deadline's error, or ``ClientError/interrupted``.
    public static func sleep(seconds: Double, until deadline: Deadline, _ interrupts: Interrupts?) throws {
        let nap = Deadline.after(seconds: seconds, throwing: .silent(socket: ""))
        do {
            _ = try wait([], until: nap.orSooner(deadline), interrupts)
        } catch ClientError.silent {
            return
        }
    }
}
