// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

/// What a bridge knows of one of its ports, or of itself as one, and forgets when that leaves: flags, as
/// isolation and learning, and its table of VLANs.
public struct PortSettings: Codable, Hashable, Sendable {
    /// By the kernel's numbers (`IFLA_BRPORT_…`), as the kernel said them.
    var flags: [Int: [UInt8]]
    var vlans: [VLAN]

    struct VLAN: Codable, Hashable, Sendable {
        var id: UInt16
        /// Whether it is that of untagged frames, and whether it leaves untagged.
        var flags: UInt16
    }

    /// Those of all ports of all bridges, by the numbers of the links.
    /// - Throws: ``HostNetError``.
    public static func all() throws -> [Int: PortSettings] {
        let header = [UInt8(AF_BRIDGE)] + [UInt8](repeating: 0, count: MemoryLayout<ifinfomsg>.size - 1)
        var request = KernelMessage(type: 0, bytes: header)
        let withVLANs: UInt32 = 1 << 1
        request.append(Int(IFLA_EXT_MASK), withVLANs.bytes)
        let messages = try RouteSocket().dump("list the ports", Int(RTM_GETLINK), request.bytes)
        var found: [Int: PortSettings] = [:]
        for message in messages {
            guard let (index, settings) = read(message) else { continue }
            found[index] = settings
        }
        return found
    }

    private static func read(_ message: KernelMessage) -> (Int, PortSettings)? {
        let size = MemoryLayout<ifinfomsg>.size
        guard message.bytes.count >= size else { return nil }
        let header = message.bytes.withUnsafeBytes { $0.loadUnaligned(as: ifinfomsg.self) }
        let parts = message.attributes(behind: size)
        let port = KernelMessage(type: 0, bytes: parts[Int(IFLA_PROTINFO)] ?? []).attributes(behind: 0)
        var settings = PortSettings(flags: port.filter { kept.contains($0.key) }, vlans: [])
        let table = KernelMessage(type: 0, bytes: parts[Int(IFLA_AF_SPEC)] ?? [])
        // Cards with a switch of their own tell that, too.
        guard table.attributes(behind: 0)[Self.whom] == nil else { return nil }
        var offset = 0
        while let (number, value) = table.attribute(at: offset) {
            offset = KernelMessage.aligned(value.upperBound)
            let bytes = Array(table.bytes[value])
            guard number == Self.vlan, bytes.count == 4 else { continue }
            let words = bytes.withUnsafeBytes { raw in
                [0, 2].map { raw.loadUnaligned(fromByteOffset: $0, as: UInt16.self) }
            }
            settings.vlans.append(VLAN(id: words[1], flags: words[0] & 0b110))
        }
        return (Int(header.ifi_index), settings)
    }

    /// `IFLA_BRIDGE_FLAGS` and `IFLA_BRIDGE_VLAN_INFO`, whose header does not go with the C library's.
    private static let (whom, vlan) = (0, 2)

    /// What somebody sets, and not what becomes of it. A port's cost follows its speed.
    private static let kept: Set<Int> = [
        Int(IFLA_BRPORT_PRIORITY), Int(IFLA_BRPORT_MODE), Int(IFLA_BRPORT_GUARD), Int(IFLA_BRPORT_PROTECT),
        Int(IFLA_BRPORT_FAST_LEAVE), Int(IFLA_BRPORT_LEARNING), Int(IFLA_BRPORT_UNICAST_FLOOD),
        Int(IFLA_BRPORT_PROXYARP), Int(IFLA_BRPORT_PROXYARP_WIFI), Int(IFLA_BRPORT_MULTICAST_ROUTER),
        Int(IFLA_BRPORT_MCAST_FLOOD), Int(IFLA_BRPORT_MCAST_TO_UCAST), Int(IFLA_BRPORT_VLAN_TUNNEL),
        Int(IFLA_BRPORT_BCAST_FLOOD), Int(IFLA_BRPORT_GROUP_FWD_MASK), Int(IFLA_BRPORT_NEIGH_SUPPRESS),
        Int(IFLA_BRPORT_ISOLATED), Int(IFLA_BRPORT_LOCKED),
    ]

    /// Gives them to a port again, as far as they are different.
    /// - Throws: ``HostNetError``.
    public func apply(to index: Int) throws {
        guard let now = try Self.all()[index], now != self else { return }
        let different = flags.filter { now.flags[$0.key] != $0.value }
        if !different.isEmpty {
            var parts = KernelMessage(type: 0, bytes: [])
            for (number, value) in different.sorted(by: { $0.key < $1.key }) { parts.append(number, value) }
            let isNested = 1 << 15
            try send(Int(RTM_SETLINK), index, Int(IFLA_PROTINFO) | isNested, parts.bytes)
        }
        let ids = Set(vlans.map(\.id))
        for vlan in now.vlans where !ids.contains(vlan.id) { try send(Int(RTM_DELLINK), index, vlan) }
        for vlan in vlans where !now.vlans.contains(vlan) { try send(Int(RTM_SETLINK), index, vlan) }
    }

    private func send(_ type: Int, _ index: Int, _ vlan: VLAN) throws {
        var parts = KernelMessage(type: 0, bytes: [])
        // A bridge is asked about itself, a port's bridge about the port.
        let isBridge = flags.isEmpty
        let itself: UInt16 = 2
        if isBridge { parts.append(Self.whom, itself.bytes) }
        parts.append(Self.vlan, vlan.flags.bytes + vlan.id.bytes)
        try send(type, index, Int(IFLA_AF_SPEC), parts.bytes)
    }

    private func send(_ type: Int, _ index: Int, _ number: Int, _ value: [UInt8]) throws {
        var header = Links.header(index)
        header.ifi_family = UInt8(AF_BRIDGE)
        try RouteSocket().send("change port \(index)", type, header) { message in
            nla_put(message, Int32(number), Int32(value.count), value)
        }
    }
}

extension UInt16 {
    /// In the machine's order, as netlink has numbers.
    fileprivate var bytes: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}
