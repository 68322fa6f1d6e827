// SPDX-License-Identifier: Apache-2.0

/// An `<interface>` of a domain.
public struct InterfaceXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "interface"
    /// The properties.
    public static let fields = InterfaceFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `InterfaceXML`. Bandwidths are libvirt's: KiB a second, bursts in KiB.
public final class InterfaceFields: Sendable {
    /// `network`, `bridge`, `direct`, `ethernet`, `user`, `vhostuser`, `hostdev`.
    public let type = Field<String>("@type")
    /// The MAC address.
    public let mac = Field<String>("mac/@address")
    /// The libvirt network.
    public let sourceNetwork = Field<String>("source/@network")
    /// The port group of that network.
    public let sourcePortgroup = Field<String>("source/@portgroup")
    /// The bridge.
    public let sourceBridge = Field<String>("source/@bridge")
    /// The host's link, with type `direct`.
    public let sourceDev = Field<String>("source/@dev")
    /// `bridge`, `vepa`, `private`, `passthrough`; with vhost-user `server` or `client`.
    public let sourceMode = Field<String>("source/@mode")
    /// The socket, with type `vhostuser`.
    public let sourcePath = Field<String>("source/@path")
    /// The host's side of it.
    public let targetDev = Field<String>("target/@dev")
    /// Whether libvirt makes that link itself.
    public let targetManaged = Field<Bool>("target/@managed")
    /// `virtio`, `e1000e`, `rtl8139`.
    public let model = Field<String>("model/@type")
    /// `vhost`, `qemu`.
    public let driverName = Field<String>("driver/@name")
    /// The number of queues.
    public let queues = Field<Int>("driver/@queues")
    /// `up`, `down`.
    public let linkState = Field<String>("link/@state")
    /// The MTU in bytes.
    public let mtu = Field<Int>("mtu/@size")
    /// The place in the boot order, from 1.
    public let bootOrder = Field<Int>("boot/@order")
    /// libvirt's name of the device; ours begin with `ua-`.
    public let alias = Field<String>("alias/@name")
    /// VLAN tags.
    public let vlanTags = ListField<Int>(values: "vlan/tag/@id")
    /// Whether the guest gets several VLANs.
    public let vlanTrunk = Field<Bool>("vlan/@trunk")
    /// `openvswitch`, `802.1Qbg`.
    public let virtualportType = Field<String>("virtualport/@type")
    /// Whether the guest is kept from others on the bridge.
    public let isolated = Field<Bool>("port/@isolated")
    /// To the guest: KiB a second on average.
    public let inboundAverage = Field<Int>("bandwidth/inbound/@average")
    /// To the guest: KiB a second at most.
    public let inboundPeak = Field<Int>("bandwidth/inbound/@peak")
    /// To the guest: KiB at peak speed.
    public let inboundBurst = Field<Int>("bandwidth/inbound/@burst")
    /// From the guest: KiB a second on average.
    public let outboundAverage = Field<Int>("bandwidth/outbound/@average")
    /// From the guest: KiB a second at most.
    public let outboundPeak = Field<Int>("bandwidth/outbound/@peak")
    /// From the guest: KiB at peak speed.
    public let outboundBurst = Field<Int>("bandwidth/outbound/@burst")
    /// The nwfilter.
    public let filter = Field<String>("filterref/@filter")
    /// The filter's parameters.
    public let filterParameters = ListField<FilterParameterXML>("filterref/parameter")
}

/// A `<parameter>` of a filter reference.
public struct FilterParameterXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "parameter"
    /// The properties.
    public static let fields = FilterParameterFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `FilterParameterXML`.
public final class FilterParameterFields: Sendable {
    /// The name: `IP`.
    public let name = Field<String>("@name")
    /// The value.
    public let value = Field<String>("@value")
}
