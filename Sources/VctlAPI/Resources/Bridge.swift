// SPDX-License-Identifier: Apache-2.0

/// Who made a bridge.
public enum BridgeOrigin: String, APIEnum {
    /// This vctl.
    case vctl
    /// libvirt, for one of its networks.
    case libvirt
    /// Docker, for one of its networks.
    case docker
    case other
}

/// A bridge of the host, which VMs and TAPs are ports of.
public struct Bridge: Codable, Hashable, Sendable {
    /// Absent where vctl did not make it.
    public var id: ObjectID?
    /// The link's name.
    public var name: String
    /// Whether this vctl made it. All others are shown and may get ports, and are never changed.
    public var managed: Bool
    public var state: LinkState
    public var origin: BridgeOrigin
    /// libvirt's network that it belongs to.
    public var network: String?
    /// `10.0.0.1/24`; not those that each link has by itself.
    public var addresses: [String]
    /// The links that are ports of it.
    public var ports: [String]
    public var up: Bool
    public var mac: String?
    public var mtu: Int?
    /// Whether it speaks the spanning tree protocol.
    public var stp: Bool
    /// Whether it looks at VLAN tags.
    public var vlanAware: Bool
    /// Until when its last change has to be confirmed, or it goes back.
    public var confirmBy: Timestamp?
    /// What it lacks of what it is to be, a sentence each; the daemon tries again.
    public var problems: [String]
    public var labels: [String: String]
    public var createdAt: Timestamp?
    /// The operation that is changing it now.
    public var operation: ObjectID?

    /// A bridge of which nothing but its name is known.
    public init(name: String, state: LinkState) {
        self.name = name
        self.state = state
        managed = false
        origin = .other
        addresses = []
        ports = []
        up = false
        stp = false
        vlanAware = false
        problems = []
        labels = [:]
    }
}

/// A request for a new bridge, which is there until it is deleted, after a reboot, too.
public struct BridgeCreate: Codable, Sendable {
    public var name: LinkName
    /// The host's own addresses on it.
    public var addresses: [LinkAddress]?
    /// Links of the host that become ports of it.
    public var ports: [LinkName]?
    public var mtu: Int?
    /// Whether it speaks the spanning tree protocol; no without it.
    public var stp: Bool?
    /// Whether it looks at VLAN tags; no without it.
    public var vlanAware: Bool?
    /// The change goes back unless it is confirmed within so many seconds, 10 to 3600. Without it 60 where
    /// it may cut the host off, and no limit else.
    public var confirmTimeoutSeconds: Int?
    public var labels: [String: String]?
    /// The least request; everything else is set afterwards.
    public init(name: LinkName) { self.name = name }
}

/// A merge patch (RFC 7396) of a bridge.
public struct BridgePatch: Codable, Sendable {
    /// All addresses that it shall have.
    public var addresses: [LinkAddress]?
    /// All links that vctl shall keep as ports of it; VMs and TAPs stay.
    public var ports: [LinkName]?
    public var mtu: Removable<Int>?
    public var stp: Bool?
    /// As of a new bridge.
    public var confirmTimeoutSeconds: Int?
    /// A `null` removes the label.
    public var labels: [String: String?]?
    /// Nothing is changed until a field is set.
    public init() {}
}
