// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc

/// A network namespace. One that was made here is there for as long as it is held: with its last holder, be
/// it by a `kill -9`, the kernel removes it and all links in it, with their other ends.
public final class NetworkSpace: Sendable {
    /// Stands for it as long as this is held.
    let descriptor: Int32

    /// That of the calling thread.
    /// - Throws: ``HostNetError``.
    public init() throws(HostNetError) {
        descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("look at the network namespace") }
    }

    deinit { close(descriptor) }

    /// A new one, which the calling thread is in afterwards.
    /// - Throws: ``HostNetError``: `EPERM` where that is not allowed.
    public static func made() throws(HostNetError) -> NetworkSpace {
        guard chost_leave_network() == 0 else { throw failure("make a network namespace") }
        return try NetworkSpace()
    }

    /// Puts the calling thread into it: a socket belongs to the namespace that its thread was in when it was
    /// opened, and stays there.
    /// - Throws: ``HostNetError``.
    public func enter() throws(HostNetError) {
        guard chost_enter_network(descriptor) == 0 else { throw Self.failure("enter a network namespace") }
    }

    private static func failure(_ call: String) -> HostNetError {
        HostNetError(call: call, errno: errno, message: String(cString: strerror(errno)))
    }
}
