// SPDX-License-Identifier: Apache-2.0

/// An `<ip>` of a network.
public struct NetworkIpXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "ip"
    /// The properties.
    public static let fields = NetworkIpFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `NetworkIpXML`.
public final class NetworkIpFields: Sendable {
    /// `ipv4`, `ipv6`; nil: IPv4.
    public let family = Field<String>("@family")
    /// The bridge's address.
    public let address = Field<String>("@address")
    /// The length of the prefix.
    public let prefix = Field<Int>("@prefix")
    /// The mask, where it is spelt so.
    public let netmask = Field<String>("@netmask")
    /// Whether reverse names are asked nowhere else.
    public let localPtr = Field<Bool>("@localPtr")
    /// The directory served by TFTP.
    public let tftpRoot = Field<String>("tftp/@root")
    /// The file for network boot.
    public let bootpFile = Field<String>("dhcp/bootp/@file")
    /// The server for network boot.
    public let bootpServer = Field<String>("dhcp/bootp/@server")
    /// Addresses for guests.
    public let dhcpRanges = ListField<DhcpRangeXML>("dhcp/range")
    /// Reserved addresses.
    public let dhcpHosts = ListField<DhcpHostXML>("dhcp/host")
}

/// A `<range>` of DHCP addresses.
public struct DhcpRangeXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "range"
    /// The properties.
    public static let fields = DhcpRangeFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `DhcpRangeXML`.
public final class DhcpRangeFields: Sendable {
    /// The first address.
    public let start = Field<String>("@start")
    /// The last address.
    public let end = Field<String>("@end")
    /// How long a lease lasts.
    public let leaseExpiry = Field<Int>("lease/@expiry")
    /// `seconds`, `minutes`, `hours`.
    public let leaseUnit = Field<String>("lease/@unit")
}

/// A `<host>` of DHCP: a reservation.
public struct DhcpHostXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "host"
    /// The properties.
    public static let fields = DhcpHostFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `DhcpHostXML`.
public final class DhcpHostFields: Sendable {
    /// By MAC address.
    public let mac = Field<String>("@mac")
    /// By client identifier (IPv6).
    public let id = Field<String>("@id")
    /// The name.
    public let name = Field<String>("@name")
    /// The address.
    public let ip = Field<String>("@ip")
}

/// A `<forwarder>` of a network's DNS.
public struct DnsForwarderXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "forwarder"
    /// The properties.
    public static let fields = DnsForwarderFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `DnsForwarderXML`.
public final class DnsForwarderFields: Sendable {
    /// The server.
    public let address = Field<String>("@addr")
    /// Only names of this domain.
    public let domain = Field<String>("@domain")
}

/// A `<host>` of a network's DNS.
public struct DnsHostXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "host"
    /// The properties.
    public static let fields = DnsHostFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `DnsHostXML`.
public final class DnsHostFields: Sendable {
    /// The address.
    public let ip = Field<String>("@ip")
    /// Its names.
    public let hostnames = ListField<String>(values: "hostname")
}

/// A `<txt>` record of a network's DNS.
public struct DnsTextXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "txt"
    /// The properties.
    public static let fields = DnsTextFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `DnsTextXML`.
public final class DnsTextFields: Sendable {
    /// The name.
    public let name = Field<String>("@name")
    /// The text.
    public let value = Field<String>("@value")
}

/// A `<srv>` record of a network's DNS.
public struct DnsServiceXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "srv"
    /// The properties.
    public static let fields = DnsServiceFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `DnsServiceXML`.
public final class DnsServiceFields: Sendable {
    /// The service: `ldap`.
    public let service = Field<String>("@service")
    /// `tcp`, `udp`.
    public let protocolName = Field<String>("@protocol")
    /// The domain.
    public let domain = Field<String>("@domain")
    /// The server.
    public let target = Field<String>("@target")
    /// The port.
    public let port = Field<Int>("@port")
    /// The priority.
    public let priority = Field<Int>("@priority")
    /// The weight.
    public let weight = Field<Int>("@weight")
}
