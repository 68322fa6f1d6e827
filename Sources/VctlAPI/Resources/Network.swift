// SPDX-License-Identifier: Apache-2.0

/// What a network promises.
public enum NetworkModel: String, APIEnum {
    /// Guests reach each other; the host only where it has access, the outside never.
    case isolated
    /// Guests, host and outside reach each other, by addresses of their own.
    case routed
    /// Guests reach out with the host's address; nobody reaches in, but by a forward and from the host.
    case nat
    /// Guests are peers on the LAN that a bridge of the host is in.
    case bridged
}

/// Whether guests can be on a network.
public enum NetworkState: String, APIEnum {
    case running, stopped
}

/// A libvirt network, whoever made it.
public struct Network: Codable, Hashable, Sendable {
    /// libvirt's UUID.
    public var id: ObjectID
    public var name: String
    /// Of what vctl made, its model; of others, the nearest; absent where there is none.
    public var model: NetworkModel?
    /// libvirt's forward mode: `none`, `open`, `nat`, `route`, `bridge`, …
    public var mode: String
    public var state: NetworkState
    /// The host's bridge.
    public var bridge: String?
    /// Its IPv4 addresses.
    public var subnet: Subnet?
    /// Its IPv6 addresses.
    public var subnet6: Subnet?
    /// The host's addresses in it.
    public var hostAddresses: [IPAddress]
    /// What DHCP gives away; in an IPv6 subnet without a range guests choose their addresses themselves.
    public var dhcpRanges: [DHCPRange]
    /// The time servers that DHCP names.
    public var ntpServers: [IPAddress]?
    /// The routes that DHCP tells, beside the one to everybody by the host.
    public var routes: [DHCPRoute]?
    /// The DNS domain of its guests.
    public var domain: String?
    public var mtu: Int?
    /// The VLAN of its guests on the bridge.
    public var vlan: Int?
    /// Whether guests and the host reach each other.
    public var hostAccess: Bool
    public var labels: [String: String]
    /// Whether vctl made or adopted it, and so may change it.
    public var managed: Bool
    public var autostart: Bool
    public var protected: Bool
    /// The VMs that are on it.
    public var usedBy: [String]
    public var createdAt: Timestamp?
    /// When libvirt said so.
    public var observedAt: Timestamp
    /// The operation that is changing it now.
    public var operation: ObjectID?

    public init(id: ObjectID, name: String, mode: String, state: NetworkState, observedAt: Timestamp) {
        self.id = id
        self.name = name
        self.mode = mode
        self.state = state
        self.observedAt = observedAt
        (hostAddresses, dhcpRanges, labels, usedBy) = ([], [], [:], [])
        (hostAccess, managed, autostart, protected) = (false, false, false, false)
    }

    /// Its subnets, IPv4 first.
    public var subnets: [Subnet] { [subnet, subnet6].compactMap { $0 } }
}
