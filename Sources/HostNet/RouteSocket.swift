// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// One conversation with the kernel about links, addresses and routes, in the network namespace of the thread
/// that opened it.
final class RouteSocket {
    let raw: OpaquePointer

    init() throws(HostNetError) {
        guard let socket = nl_socket_alloc() else {
            throw HostNetError(call: "open a netlink socket", errno: ENOMEM, message: "out of memory")
        }
        raw = socket
        try check(nl_connect(socket, NETLINK_ROUTE), "open a netlink socket")
    }

    deinit { nl_socket_free(raw) }

    /// Sends one request and waits for the kernel's answer.
    func send<Header: BitwiseCopyable>(
        _ call: String, _ type: Int, flags: Int32 = 0, _ header: Header,
        _ fill: (OpaquePointer) -> Void = { _ in }
    ) throws(HostNetError) {
        guard let message = nlmsg_alloc_simple(Int32(type), flags) else {
            throw HostNetError(call: call, errno: ENOMEM, message: "out of memory")
        }
        var header = header
        nlmsg_append(message, &header, MemoryLayout<Header>.size, 4)
        fill(message)
        // It frees the message, too.
        try check(nl_send_sync(raw, message), call)
    }

    /// - Throws: ``HostNetError`` where `result` is one of libnl's codes.
    func check(_ result: Int32, _ call: String) throws(HostNetError) {
        guard result < 0 else { return }
        throw HostNetError(
            call: call, errno: Self.errno(of: -result), message: String(cString: nl_geterror(result)))
    }

    /// libnl has codes of its own, and keeps no errno.
    private static func errno(of code: Int32) -> Int32 {
        switch code {
        case NLE_EXIST: EEXIST
        case NLE_OBJ_NOTFOUND: ENOENT
        case NLE_NODEV: ENODEV
        case NLE_PERM, NLE_NOACCESS: EPERM
        case NLE_BUSY: EBUSY
        case NLE_INVAL: EINVAL
        case NLE_RANGE: ERANGE
        case NLE_OPNOTSUPP: EOPNOTSUPP
        case NLE_NOMEM: ENOMEM
        case NLE_NOADDR: EADDRNOTAVAIL
        case NLE_AGAIN, NLE_DUMP_INTR: EAGAIN
        default: 0
        }
    }
}
