// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// Putting links into bridges.
public enum BridgePort {
    /// Makes a link a port of a bridge; that it is one already is as good.
    /// - Throws: ``HostNetError``.
    public static func attach(_ link: String, to bridge: String) throws {
        let call = "put \(link) into bridge \(bridge)"
        let (port, master) = (if_nametoindex(link), if_nametoindex(bridge))
        guard port > 0, master > 0 else {
            throw HostNetError(call: call, errno: ENODEV, message: "no such link")
        }
        guard let socket = nl_socket_alloc() else {
            throw HostNetError(call: call, errno: ENOMEM, message: "no memory")
        }
        defer { nl_socket_free(socket) }
        var code = nl_connect(socket, NETLINK_ROUTE)
        if code == 0 { code = rtnl_link_enslave_ifindex(socket, Int32(master), Int32(port)) }
        guard code == 0 else {
            throw HostNetError(call: call, errno: 0, message: String(cString: nl_geterror(code)))
        }
    }
}
