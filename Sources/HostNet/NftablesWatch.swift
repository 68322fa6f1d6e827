// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Dispatch
import Glibc

/// Tells that somebody has changed rules of nftables, whichever; to be used as a hint to read one's own.
public final class NftablesWatch: @unchecked Sendable {
    // SAFETY: the source is made once, and cancelled once, at the end; Dispatch takes calls from any thread.
    /// One for each change, or several that came at once.
    public let changes: AsyncStream<Void>

    private let source: any DispatchSourceRead

    /// Begins to listen (`NFNLGRP_NFTABLES` of nfnetlink).
    /// - Throws: ``HostNetError``.
    public init() throws(HostNetError) {
        let kind = SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(AF_NETLINK, Int32(kind), NETLINK_NETFILTER)
        guard descriptor >= 0 else { throw Self.failure("open a netlink socket") }
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = 1 << 6
        let size = socklen_t(MemoryLayout<sockaddr_nl>.size)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0 else {
            let error = Self.failure("listen to nftables")
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

    private static func failure(_ call: String) -> HostNetError {
        HostNetError(call: call, errno: errno, message: String(cString: strerror(errno)), isOfRules: true)
    }
}
