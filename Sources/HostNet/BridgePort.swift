// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Putting links into bridges.
public enum BridgePort {
    /// Makes a link a port of a bridge; that it is one already is as good.
    /// - Throws: ``HostNetError``: `ENODEV` where there is no such link or bridge.
    public static func attach(_ link: String, to bridge: String) throws {
        let (port, master) = (if_nametoindex(link), if_nametoindex(bridge))
        guard port > 0, master > 0 else {
            throw HostNetError(
                call: "put \(link) into bridge \(bridge)", errno: ENODEV, message: "no such link")
        }
        var change = LinkChange()
        change.master = Int(master)
        try Links.change(Int(port), change)
    }
}
