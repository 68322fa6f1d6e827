// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Dispatch
import Glibc

/// Tells that somebody has changed something of the kernel's network, whatever; to be used as a hint to look
/// at one's own.
public final class KernelWatch: @unchecked Sendable {
    // SAFETY: the source is made once, and cancelled once, at the end; Dispatch takes calls from any thread.
    /// What is listened to.
    public enum Matter: Sendable {
        /// Rules of nftables.
        case rules
        /// Links and their addresses.
        case links
    }

    /// One for each change, or several that came at once.
    public let changes: AsyncStream<Void>

    private let source: any DispatchSourceRead

    /// Begins to listen, in the network namespace of the thread that asks.
    /// - Throws: ``HostNetError``.
    public init(_ matter: Matter) throws(HostNetError) {
        let kind = SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(AF_NETLINK, Int32(kind), matter.family)
        guard descriptor >= 0 else { throw Self.failure("open a netlink socket", matter) }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = matter.groups
        let size = socklen_t(MemoryLayout<sockaddr_nl>.size)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0 else {
            let error = Self.failure("listen to the kernel", matter)
            close(descriptor)
            throw error
        }
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        changes = stream
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: .global())
        source.setEventHandler {
            Self.drain(descriptor)
            continuation.yield()
        }
        source.setCancelHandler {
            close(descriptor)
            continuation.finish()
        }
        source.resume()
    }

    deinit { source.cancel() }

    /// What the messages say is not looked at; that some were lost (`ENOBUFS`) is a change as well.
    private static func drain(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while recv(descriptor, &buffer, buffer.count, 0) > 0 || errno == ENOBUFS {}
    }

    private static func failure(_ call: String, _ matter: Matter) -> HostNetError {
        HostNetError(
            call: call, errno: errno, message: String(cString: strerror(errno)), isOfRules: matter == .rules)
    }
}

extension KernelWatch.Matter {
    fileprivate var family: Int32 {
        switch self {
        case .rules: NETLINK_NETFILTER
        case .links: NETLINK_ROUTE
        }
    }

    /// `NFNLGRP_NFTABLES` of nfnetlink; `RTNLGRP_LINK`, `RTNLGRP_IPV4_IFADDR` and `RTNLGRP_IPV6_IFADDR`.
    fileprivate var groups: UInt32 {
        switch self {
        case .rules: 1 << 6
        case .links: 1 | 1 << 4 | 1 << 8
        }
    }
}
