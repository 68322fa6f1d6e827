// SPDX-License-Identifier: Apache-2.0

/// A NIC of a new VM, or one more of a VM.
public struct NICSpec: Codable, Hashable, Sendable {
    /// The libvirt network that it is on; this or `bridge`.
    public var network: Reference?
    /// A bridge of the host, for admins.
    public var bridge: LinkName?
    /// A unicast address; made up without it.
    public var mac: String?
    /// `virtio` without it.
    public var model: String?
    /// Whether its cable is in; it is without this.
    public var link: Bool?
    /// The VLAN that the guest is in, on a network that can tell them apart.
    public var vlan: VLANID?
    /// The network's without it.
    public var mtu: MTU?
    /// As many as CPUs at the most; for virtio.
    public var queues: Int?
    /// Whether it reaches no other NIC of its bridge that is isolated, too.
    public var isolated: Bool?
    /// Its place in the boot order, from 1; what has that place comes after it.
    public var boot: Int?
    /// How much the guest may receive.
    public var inbound: RateLimit?
    /// How much the guest may send.
    public var outbound: RateLimit?
    /// Whether it may send only as itself: with its own MAC, and with addresses that are its own. Not without
    /// this.
    public var antiSpoofing: Bool?
    /// Addresses that are its own beside those that DHCP gives it.
    public var ip: [IPAddress]?
    /// Security groups; nothing comes in but what one of them allows. Everything does without this.
    public var securityGroups: [Name]?

    public init(network: Reference) { self.network = network }
    public init(bridge: LinkName) { self.bridge = bridge }
}

/// Changes of a NIC. Network, bridge, link, isolation, rates and anti-spoofing change at once; a running
/// guest gets the rest with its next start.
public struct VMNICPatch: Codable, Hashable, Sendable {
    /// The libvirt network that it is on.
    public var network: Reference?
    /// The bridge of the host that it is on, for admins.
    public var bridge: LinkName?
    /// Whether its cable is in.
    public var link: Bool?
    public var model: String?
    /// `null`: none.
    public var vlan: Removable<VLANID>?
    /// `null`: the network's.
    public var mtu: Removable<MTU>?
    /// `null`: one.
    public var queues: Removable<Int>?
    public var isolated: Bool?
    /// `null`: it is not booted from.
    public var boot: Removable<Int>?
    /// `null`: without a limit.
    public var inbound: Removable<RateLimit>?
    /// `null`: without a limit.
    public var outbound: Removable<RateLimit>?
    /// Whether it may send only as itself.
    public var antiSpoofing: Bool?
    /// Addresses that are its own beside those that DHCP gives it; `null`: none.
    public var ip: Removable<[IPAddress]>?
    /// Its security groups; `null`: none, and everything comes in.
    public var securityGroups: Removable<[Name]>?
    public init() {}
}
