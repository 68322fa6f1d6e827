// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// A link of the host: a card, a bridge, a TAP.
public struct Link: Hashable, Sendable {
    /// What kind of link the kernel's driver makes; others keep the driver's own word.
    public enum Kind: Hashable, Sendable {
        /// A bridge of Linux.
        case bridge
        /// A TAP: Ethernet whose other end is a process.
        case tap
        /// Anything else by its driver's word (`veth`, `vlan`, `tun`), `nil` for hardware.
        case other(String?)
    }

    /// The kernel's number for it, which no later link gets.
    public var index: Int
    public var name: String
    public var kind: Kind
    /// The link that it is a port of.
    public var master: Int?
    /// The link that it stands on, and goes with, as a VLAN of it or a macvtap does.
    public var lower: Int?
    /// Whether somebody has switched it on.
    public var isUp: Bool
    /// Whether there is something at its other end. Of a TAP: whether a process has it open.
    public var hasCarrier: Bool
    public var mtu: Int
    /// Its MAC in small letters.
    public var mac: String?
    /// What somebody wrote about it (`ip link set alias`).
    public var alias: String?
    /// Whether it carries Ethernet's frames, as a port of a bridge has to.
    public var isEthernet: Bool

    /// A link that is off and has no other end.
    public init(index: Int, name: String, kind: Kind) {
        self.index = index
        self.name = name
        self.kind = kind
        isUp = false
        hasCarrier = false
        mtu = 1500
        isEthernet = true
    }
}

/// What of a link is to be different; `nil`: stays.
public struct LinkChange: Hashable, Sendable {
    /// A new name; only of a link that is off.
    public var name: String?
    public var alias: String?
    public var isUp: Bool?
    public var mtu: Int?
    /// The number of the bridge that it becomes a port of; 0: of none.
    public var master: Int?
    /// Six bytes.
    public var mac: [UInt8]?
    /// Nothing is different until a field is set.
    public init() {}
}

/// The links of the host, in the network namespace of the thread that asks. Every call blocks for as long as
/// the kernel needs, which is microseconds.
public enum Links {
    /// All links, in the kernel's order.
    /// - Throws: ``HostNetError``.
    public static func all() throws -> [Link] {
        let socket = try RouteSocket()
        var cache: OpaquePointer?
        try socket.check(rtnl_link_alloc_cache(socket.raw, AF_UNSPEC, &cache), "list the links")
        defer { nl_cache_free(cache) }
        var links: [Link] = []
        var next = nl_cache_get_first(cache)
        while let object = next {
            links.append(Link(object))
            next = nl_cache_get_next(object)
        }
        return links
    }

    /// Changes a link.
    /// - Throws: ``HostNetError``: `ENODEV` where there is none, `EEXIST` where the new name is taken.
    public static func change(_ index: Int, _ change: LinkChange) throws {
        var header = Self.header(index)
        if let isUp = change.isUp {
            header.ifi_change = UInt32(flagUp)
            header.ifi_flags = isUp ? UInt32(flagUp) : 0
        }
        try RouteSocket().send("change link \(index)", Int(RTM_SETLINK), header) { message in
            if let name = change.name { nla_put_string(message, Int32(IFLA_IFNAME), name) }
            if let alias = change.alias { nla_put_string(message, Int32(IFLA_IFALIAS), alias) }
            if let mtu = change.mtu { nla_put_u32(message, Int32(IFLA_MTU), UInt32(mtu)) }
            if let master = change.master { nla_put_u32(message, Int32(IFLA_MASTER), UInt32(master)) }
            if let mac = change.mac { nla_put(message, Int32(IFLA_ADDRESS), Int32(mac.count), mac) }
        }
    }

    /// Removes a link that a program made; hardware stays.
    /// - Throws: ``HostNetError``: `ENODEV` where there is none, `EOPNOTSUPP` of hardware.
    public static func delete(_ index: Int) throws {
        try RouteSocket().send("delete link \(index)", Int(RTM_DELLINK), header(index))
    }

    /// Whether it is a card of a wireless network.
    public static func isWireless(_ name: String) -> Bool {
        ["phy80211", "wireless"].contains { access("/sys/class/net/\(name)/\($0)", F_OK) == 0 }
    }

    static let flagUp: Int32 = 1
    /// The kernel's number for Ethernet (`ARPHRD_ETHER`).
    static let ethernet: UInt32 = 1

    static func header(_ index: Int) -> ifinfomsg {
        var header = ifinfomsg()
        header.ifi_family = UInt8(AF_UNSPEC)
        header.ifi_index = Int32(index)
        return header
    }
}

extension Link {
    /// Reads libnl's object, which stays libnl's.
    fileprivate init(_ object: OpaquePointer) {
        index = Int(rtnl_link_get_ifindex(object))
        name = String(cString: rtnl_link_get_name(object))
        isEthernet = rtnl_link_get_arptype(object) == Links.ethernet
        kind = Self.kind(rtnl_link_get_type(object).map { String(cString: $0) }, isEthernet)
        let master = Int(rtnl_link_get_master(object))
        self.master = master == 0 ? nil : master
        lower = Self.lower(object, kind)
        isUp = rtnl_link_get_flags(object) & UInt32(Links.flagUp) != 0
        hasCarrier = rtnl_link_get_carrier(object) != 0
        mtu = Int(rtnl_link_get_mtu(object))
        mac = rtnl_link_get_addr(object).flatMap(Self.mac)
        alias = rtnl_link_get_ifalias(object).map { String(cString: $0) }
    }

    private static func kind(_ word: String?, _ isEthernet: Bool) -> Kind {
        switch word {
        case "bridge": .bridge
        // The driver of TAPs makes links without Ethernet, too.
        case "tun" where isEthernet: .tap
        default: .other(word)
        }
    }

    private static func lower(_ object: OpaquePointer, _ kind: Kind) -> Int? {
        var (other, space): (UInt32, Int32) = (0, 0)
        if kind == .other("vxlan"), rtnl_link_vxlan_get_link(object, &other) == 0, other > 0 {
            return Int(other)
        }
        let lower = Int(rtnl_link_get_link(object))
        // Of a pair it is the other end, which may be another namespace's, as may be that of others.
        guard lower > 0, kind != .other("veth"), rtnl_link_get_link_netnsid(object, &space) != 0 else {
            return nil
        }
        return lower == Int(rtnl_link_get_ifindex(object)) ? nil : lower
    }

    private static func mac(_ address: OpaquePointer) -> String? {
        guard nl_addr_get_len(address) == 6 else { return nil }
        var text = [CChar](repeating: 0, count: 32)
        guard nl_addr2str(address, &text, text.count) != nil else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
