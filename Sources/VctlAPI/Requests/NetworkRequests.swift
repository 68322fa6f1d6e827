// SPDX-License-Identifier: Apache-2.0

/// A request for a new network.
public struct NetworkCreate: Codable, Sendable {
    public var name: Name
    public var model: NetworkModel
    /// `auto` without it, where the model has addresses.
    public var subnet: SubnetChoice?
    /// None without it.
    public var subnet6: SubnetChoice?
    /// At most one of each family. Without it the whole IPv4 subnet, and no IPv6; an empty list: no DHCP.
    public var dhcpRanges: [DHCPRange]?
    /// The time servers that DHCP names.
    public var ntpServers: [IPAddress]?
    /// The routes that DHCP tells, beside the one to everybody.
    public var routes: [DHCPRoute]?
    public var domain: String?
    /// The host's bridge of a bridged network.
    public var bridge: String?
    /// Whether an isolated network has the host in it, with DHCP and DNS.
    public var hostAccess: Bool?
    public var vlan: Int?
    public var mtu: Int?
    public var labels: [String: String]?
    public var protected: Bool?
    /// Whether it starts with the host; it does without it.
    public var autostart: Bool?
    /// Whether it is started at once; it is without it.
    public var start: Bool?

    /// The least request.
    public init(name: Name, model: NetworkModel) {
        self.name = name
        self.model = model
    }
}

/// A merge patch (RFC 7396) of a network.
public struct NetworkPatch: Codable, Hashable, Sendable {
    /// A `null` removes the label.
    public var labels: [String: String?]?
    public var protected: Bool?
    public var autostart: Bool?
    /// Takes a restart of the network, and so `force` while it runs.
    public var domain: RemovableText?
    /// Takes a restart of the network, and so `force` while it runs.
    public var mtu: Removable<Int>?
    /// Takes the place of all that there are; guests keep their addresses as long as their leases last.
    public var dhcpRanges: [DHCPRange]?
    /// Takes the place of all that there are. Takes a restart of the network, and so `force` while it runs.
    public var ntpServers: [IPAddress]?
    /// As `ntpServers`.
    public var routes: [DHCPRoute]?
    public init() {}
}

/// What is said of a network that is taken over.
public struct NetworkAdopt: Codable, Sendable {
    public var labels: [String: String]?
    public init() {}
}

extension Limits {
    /// Bytes of a packet: what IPv4 asks of every link, and the most that a bridge takes.
    public static let mtu = 68...65_535
    /// 0 and 4095 are reserved (IEEE 802.1Q).
    public static let vlan = 1...4094
    /// Characters of a DNS domain.
    public static let domain = 253
    /// What an option of DHCP is sure to hold.
    public static let ntpServers = 8
    /// As `ntpServers`: an option has 255 bytes, and a route up to 9.
    public static let dhcpRoutes = 24
    /// Bytes of a link's name in Linux.
    public static let linkName = 15
    static let linkNamePattern = "^[!-.0-~]{1,15}$"
    static let domainPattern =
        "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$"
}

extension NetworkCreate: FieldLimits {
    static var limits: [String: Schema] {
        [
            "vlan": .whole(Limits.vlan), "mtu": .whole(Limits.mtu), "labels": .labels(nullable: false),
            "domain": Schema(type: "string", pattern: Limits.domainPattern, maxLength: Limits.domain),
            "bridge": Schema(type: "string", pattern: Limits.linkNamePattern, maxLength: Limits.linkName),
            "dhcpRanges": SchemaProbe.schema(of: [DHCPRange].self).atMost(2),
            "ntpServers": SchemaProbe.schema(of: [IPAddress].self).atMost(Limits.ntpServers),
            "routes": SchemaProbe.schema(of: [DHCPRoute].self).atMost(Limits.dhcpRoutes),
        ]
    }
}

extension NetworkPatch: FieldLimits {
    static var limits: [String: Schema] {
        [
            "mtu": .removable(Limits.mtu), "labels": .labels(nullable: true),
            "domain": .removableText(Limits.domain),
            "dhcpRanges": SchemaProbe.schema(of: [DHCPRange].self).atMost(2),
            "ntpServers": SchemaProbe.schema(of: [IPAddress].self).atMost(Limits.ntpServers),
            "routes": SchemaProbe.schema(of: [DHCPRoute].self).atMost(Limits.dhcpRoutes),
        ]
    }
}

extension NetworkAdopt: FieldLimits {
    static var limits: [String: Schema] { ["labels": .labels(nullable: false)] }
}
