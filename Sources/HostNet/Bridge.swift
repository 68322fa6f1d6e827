// SPDX-License-Identifier: Apache-2.0
import CNetlink
import FoundationEssentials

/// A bridge that is to be made.
public struct BridgeSpec: Hashable, Sendable {
    public var name: String
    /// Six bytes. Without, the bridge takes that of a port, and another one when that leaves.
    public var mac: [UInt8]?
    public var stp: Bool
    /// Whether it looks at VLAN tags.
    public var vlanAware: Bool

    /// A bridge of that name.
    public init(name: String, mac: [UInt8]? = nil, stp: Bool = false, vlanAware: Bool = false) {
        self.name = name
        self.mac = mac
        self.stp = stp
        self.vlanAware = vlanAware
    }
}

/// What only bridges have, in the network namespace of the thread that asks.
public enum Bridges {
    /// Makes a bridge, off, without alias and ports.
    /// - Throws: ``HostNetError``: `EEXIST` where the name is taken, `EPERM`, `EOPNOTSUPP` without the
    /// driver.
    public static func make(_ spec: BridgeSpec) throws {
        let flags = NLM_F_CREATE | NLM_F_EXCL
        let call = "create bridge \(spec.name)"
        try RouteSocket().send(call, Int(RTM_NEWLINK), flags: flags, Links.header(0)) { message in
            nla_put_string(message, Int32(IFLA_IFNAME), spec.name)
            if let mac = spec.mac { nla_put(message, Int32(IFLA_ADDRESS), Int32(mac.count), mac) }
            put(message) {
                nla_put_u32(message, Int32(IFLA_BR_STP_STATE), spec.stp ? 1 : 0)
                if spec.vlanAware { nla_put_u8(message, Int32(IFLA_BR_VLAN_FILTERING), 1) }
            }
        }
    }

    /// Switches the spanning tree protocol.
    /// - Throws: ``HostNetError``.
    public static func setSTP(_ index: Int, _ stp: Bool) throws {
        try RouteSocket().send("change bridge \(index)", Int(RTM_NEWLINK), Links.header(index)) { message in
            put(message) { nla_put_u32(message, Int32(IFLA_BR_STP_STATE), stp ? 1 : 0) }
        }
    }

    private static func put(_ message: OpaquePointer, _ data: () -> Void) {
        let information = nla_nest_start(message, Int32(IFLA_LINKINFO))
        nla_put_string(message, Int32(IFLA_INFO_KIND), "bridge")
        let inner = nla_nest_start(message, Int32(IFLA_INFO_DATA))
        data()
        nla_nest_end(message, inner)
        nla_nest_end(message, information)
    }

    /// Whether a bridge speaks the spanning tree protocol.
    public static func hasSTP(_ name: String) -> Bool {
        attribute("stp_state", of: name).map { $0 != "0" } == true
    }

    /// Whether a bridge looks at VLAN tags, which not every kernel can.
    public static func isVLANAware(_ name: String) -> Bool { attribute("vlan_filtering", of: name) == "1" }

    private static func attribute(_ attribute: String, of name: String) -> String? {
        let data = FileManager.default.contents(atPath: "/sys/class/net/\(name)/bridge/\(attribute)")
        return data.map { String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self) }
    }
}
