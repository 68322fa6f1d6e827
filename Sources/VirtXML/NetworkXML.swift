// SPDX-License-Identifier: Apache-2.0

/// A `<network>` document.
public struct NetworkXML: DocumentView, MetadataView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "network"
    /// The properties.
    public static let fields = NetworkFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `NetworkXML`.
public final class NetworkFields: Sendable {
    /// The name.
    public let name = Field<String>("name")
    /// The UUID.
    public let uuid = Field<String>("uuid")
    /// Whether guests may speak IPv6 to each other without an address of ours.
    public let ipv6 = Field<Bool>("@ipv6")
    /// Interfaces of running domains on it.
    public let connections = Field<Int>("@connections")
    /// A short title, with newer libvirt.
    public let title = Field<String>("title")
    /// `nat`, `route`, `open`, `bridge`, `private`, `vepa`, `passthrough`, `hostdev`; nil: isolated.
    public let forwardMode = Field<String>("forward/@mode")
    /// The host's link to forward to.
    public let forwardDev = Field<String>("forward/@dev")
    /// Whether IPv6 is translated as well, with the mode `nat`.
    public let natsIPv6 = Field<Bool>("forward/nat/@ipv6")
    /// The bridge.
    public let bridge = Field<String>("bridge/@name")
    /// Spanning tree.
    public let bridgeStp = Field<Bool>(onOff: "bridge/@stp")
    /// Seconds before a new port forwards.
    public let bridgeDelay = Field<Int>("bridge/@delay")
    /// The zone of firewalld.
    public let bridgeZone = Field<String>("bridge/@zone")
    /// The bridge's MAC address.
    public let mac = Field<String>("mac/@address")
    /// The MTU in bytes.
    public let mtu = Field<Int>("mtu/@size")
    /// The DNS domain.
    public let domain = Field<String>("domain/@name")
    /// Whether names of that domain are asked nowhere else.
    public let domainLocalOnly = Field<Bool>("domain/@localOnly")
    /// `openvswitch`, `802.1Qbg`.
    public let virtualportType = Field<String>("virtualport/@type")
    /// VLAN tags.
    public let vlanTags = ListField<Int>(values: "vlan/tag/@id")
    /// Whether guests get several VLANs.
    public let vlanTrunk = Field<Bool>("vlan/@trunk")
    /// Whether guests are kept from each other.
    public let isolated = Field<Bool>("port/@isolated")
    /// Whether there is a name server.
    public let dnsEnabled = Field<Bool>("dns/@enable")
    /// Whether names without a dot are asked elsewhere.
    public let dnsForwardPlain = Field<Bool>("dns/@forwardPlainNames")
    /// Where names are asked.
    public let dnsForwarders = ListField<DnsForwarderXML>("dns/forwarder")
    /// Names of addresses.
    public let dnsHosts = ListField<DnsHostXML>("dns/host")
    /// TXT records.
    public let dnsTexts = ListField<DnsTextXML>("dns/txt")
    /// SRV records.
    public let dnsServices = ListField<DnsServiceXML>("dns/srv")
    /// Addresses of the bridge, with their DHCP.
    public let ips = ListField<NetworkIpXML>("ip")
    /// Static routes.
    public let routes = ListField<NetworkRouteXML>("route")
    /// Port groups.
    public let portgroups = ListField<PortgroupXML>("portgroup")
}

/// A `<portgroup>` of a network.
public struct PortgroupXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "portgroup"
    /// The properties.
    public static let fields = PortgroupFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `PortgroupXML`.
public final class PortgroupFields: Sendable {
    /// The name.
    public let name = Field<String>("@name")
    /// Whether interfaces get it unasked.
    public let isDefault = Field<Bool>("@default")
    /// VLAN tags.
    public let vlanTags = ListField<Int>(values: "vlan/tag/@id")
    /// Whether guests get several VLANs.
    public let vlanTrunk = Field<Bool>("vlan/@trunk")
    /// `openvswitch`, `802.1Qbg`.
    public let virtualportType = Field<String>("virtualport/@type")
}

/// A `<route>` of a network.
public struct NetworkRouteXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "route"
    /// The properties.
    public static let fields = NetworkRouteFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `NetworkRouteXML`.
public final class NetworkRouteFields: Sendable {
    /// `ipv4`, `ipv6`.
    public let family = Field<String>("@family")
    /// Where to.
    public let address = Field<String>("@address")
    /// The length of that prefix.
    public let prefix = Field<Int>("@prefix")
    /// By way of.
    public let gateway = Field<String>("@gateway")
}
