// SPDX-License-Identifier: Apache-2.0

/// An address that a network's DHCP server has given to somebody.
public struct NetworkLease: Codable, Hashable, Sendable {
    public var address: IPAddress
    /// Absent for some of IPv6.
    public var mac: String?
    /// The name that the client sent.
    public var hostname: String?
    /// The VM that has this MAC.
    public var vm: String?
    /// Whether the address is reserved for it.
    public var reserved: Bool
    public var expiresAt: Timestamp
    public init(
        address: IPAddress, mac: String?, hostname: String?, vm: String?, reserved: Bool, expiresAt: Timestamp
    ) {
        self.address = address
        self.mac = mac
        self.hostname = hostname
        self.vm = vm
        self.reserved = reserved
        self.expiresAt = expiresAt
    }
}

/// An address that DHCP keeps for a NIC.
public struct NetworkReservation: Codable, Hashable, Sendable {
    public var mac: String
    public var address: IPAddress
    /// The VM that has this MAC.
    public var vm: String?
    /// The name that guests find it by.
    public var hostname: String?
    public init(mac: String, address: IPAddress, vm: String?, hostname: String?) {
        self.mac = mac
        self.address = address
        self.vm = vm
        self.hostname = hostname
    }
}

/// A name that a network's DNS server knows.
public struct NetworkRecord: Codable, Hashable, Sendable {
    public var name: String
    public var address: IPAddress
    public init(name: String, address: IPAddress) {
        self.name = name
        self.address = address
    }
}

/// A request to keep an address for a NIC.
public struct NetworkReserve: Codable, Sendable {
    /// The VM whose NIC on the network it is.
    public var vm: Reference?
    /// The NIC, where the VM has several on the network, or there is no VM.
    public var mac: String?
    /// The one that the VM has now, else a free one, without it.
    public var address: IPAddress?
    public init() {}
}

extension NetworkReserve: FieldLimits {
    static var limits: [String: Schema] {
        ["mac": Schema(type: "string", pattern: "^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$")]
    }
}

extension NetworkRecord: FieldLimits {
    static var limits: [String: Schema] {
        ["name": Schema(type: "string", pattern: Limits.domainPattern, maxLength: Limits.domain)]
    }
}
