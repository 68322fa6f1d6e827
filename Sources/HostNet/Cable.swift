// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// An Ethernet cable between two network namespaces (`veth`), and what the far end needs to talk.
public struct Cable: Hashable, Sendable {
    /// The end in the calling thread's namespace.
    public var name: String
    /// Six bytes.
    public var mac: [UInt8]
    /// The end in the other namespace.
    public var peer: String
    public var peerMAC: [UInt8]
    public var mtu: Int

    /// A cable with ends of these names and addresses.
    public init(name: String, mac: [UInt8], peer: String, peerMAC: [UInt8], mtu: Int) {
        (self.name, self.mac, self.peer, self.peerMAC, self.mtu) = (name, mac, peer, peerMAC, mtu)
    }

    /// Lays it, with both ends off. Whoever dies with the other namespace takes both ends with it.
    /// - Throws: ``HostNetError``: `EEXIST` where the name is taken.
    public func lay(to space: NetworkSpace) throws {
        let socket = try RouteSocket()
        let flags = Int32(NLM_F_CREATE | NLM_F_EXCL)
        try socket.send("lay cable \(name)", Int(RTM_NEWLINK), flags: flags, Links.header(0)) { message in
            put(message, name, mac)
            let information = nla_nest_start(message, Int32(IFLA_LINKINFO))
            nla_put_string(message, Int32(IFLA_INFO_KIND), "veth")
            let data = nla_nest_start(message, Int32(IFLA_INFO_DATA))
            let other = nla_nest_start(message, Self.peerAttribute)
            var header = Links.header(0)
            nlmsg_append(message, &header, MemoryLayout<ifinfomsg>.size, 4)
            put(message, peer, peerMAC)
            nla_put_u32(message, Int32(IFLA_NET_NS_FD), UInt32(space.descriptor))
            nla_nest_end(message, other)
            nla_nest_end(message, data)
            nla_nest_end(message, information)
        }
    }

    /// `VETH_INFO_PEER` of <linux/veth.h>.
    private static let peerAttribute: Int32 = 1

    private func put(_ message: OpaquePointer, _ name: String, _ mac: [UInt8]) {
        nla_put_string(message, Int32(IFLA_IFNAME), name)
        nla_put_u32(message, Int32(IFLA_MTU), UInt32(mtu))
        nla_put(message, Int32(IFLA_ADDRESS), Int32(mac.count), mac)
    }
}

/// Addresses, routes and neighbours of a link, in the network namespace of the calling thread. Addresses are
/// of either family, in the order of the wire.
public struct LinkPlace: Sendable {
    private let index: Int

    /// Those of the link of that number.
    public init(link index: Int) { self.index = index }

    /// Gives it an address, which counts at once: nobody is asked whether it is taken.
    /// - Throws: ``HostNetError``.
    public func add(address: [UInt8], prefix: Int) throws {
        var header = ifaddrmsg()
        header.ifa_family = Self.family(address)
        header.ifa_prefixlen = UInt8(prefix)
        header.ifa_flags = UInt8(IFA_F_NODAD)
        header.ifa_index = UInt32(index)
        let flags = Int32(NLM_F_CREATE | NLM_F_REPLACE)
        try RouteSocket().send("add an address", Int(RTM_NEWADDR), flags: flags, header) { message in
            nla_put(message, Int32(IFA_LOCAL), Int32(address.count), address)
            nla_put(message, Int32(IFA_ADDRESS), Int32(address.count), address)
        }
    }

    /// Lets it lead to a subnet, directly or by a gateway that need not be in a subnet of its own.
    /// - Throws: ``HostNetError``.
    public func add(routeTo subnet: [UInt8], prefix: Int, via gateway: [UInt8]? = nil) throws {
        var header = rtmsg()
        header.rtm_family = Self.family(subnet)
        header.rtm_dst_len = UInt8(prefix)
        header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
        header.rtm_protocol = UInt8(RTPROT_STATIC)
        header.rtm_scope = UInt8((gateway == nil ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE).rawValue)
        header.rtm_type = UInt8(RTN_UNICAST)
        header.rtm_flags = gateway == nil ? 0 : UInt32(RTNH_F_ONLINK)
        let flags = Int32(NLM_F_CREATE | NLM_F_REPLACE)
        try RouteSocket().send("add a route", Int(RTM_NEWROUTE), flags: flags, header) { message in
            if prefix > 0 { nla_put(message, Int32(RTA_DST.rawValue), Int32(subnet.count), subnet) }
            if let gateway { nla_put(message, Int32(RTA_GATEWAY.rawValue), Int32(gateway.count), gateway) }
            nla_put_u32(message, Int32(RTA_OIF.rawValue), UInt32(index))
        }
    }

    /// Makes it known which MAC an address has, so that nobody is asked.
    /// - Throws: ``HostNetError``.
    public func add(neighbour address: [UInt8], mac: [UInt8]) throws {
        var header = ndmsg()
        header.ndm_family = Self.family(address)
        header.ndm_ifindex = Int32(index)
        header.ndm_state = UInt16(NUD_PERMANENT)
        let flags = Int32(NLM_F_CREATE | NLM_F_REPLACE)
        try RouteSocket().send("add a neighbour", Int(RTM_NEWNEIGH), flags: flags, header) { message in
            nla_put(message, Int32(NDA_DST), Int32(address.count), address)
            nla_put(message, Int32(NDA_LLADDR), Int32(mac.count), mac)
        }
    }

    private static func family(_ address: [UInt8]) -> UInt8 {
        UInt8(address.count == 4 ? AF_INET : AF_INET6)
    }
}
