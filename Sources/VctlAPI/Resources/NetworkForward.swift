// SPDX-License-Identifier: Apache-2.0

/// What is forwarded.
public enum TransportProtocol: String, APIEnum {
    case tcp, udp
}

/// Ports of the host that lead to a VM.
public struct NetworkForward: Codable, Hashable, Sendable {
    public var id: ObjectID
    /// The network's name.
    public var network: String
    public var networkID: ObjectID
    public var `protocol`: TransportProtocol
    /// The host's address; `0.0.0.0` and `::` are all of it.
    public var address: IPAddress
    public var ports: PortRange
    /// The VM's name.
    public var vm: String
    public var vmID: ObjectID
    /// The VM's NIC.
    public var mac: String
    /// The VM's address, which is kept for it.
    public var vmAddress: IPAddress
    public var vmPorts: PortRange
    public var createdAt: Timestamp
    public init(
        id: ObjectID, network: String, networkID: ObjectID, protocol: TransportProtocol, address: IPAddress,
        ports: PortRange, vm: String, vmID: ObjectID, mac: String, vmAddress: IPAddress, vmPorts: PortRange,
        createdAt: Timestamp
    ) {
        self.id = id
        self.network = network
        self.networkID = networkID
        self.protocol = `protocol`
        self.address = address
        self.ports = ports
        self.vm = vm
        self.vmID = vmID
        self.mac = mac
        self.vmAddress = vmAddress
        self.vmPorts = vmPorts
        self.createdAt = createdAt
    }

    /// What it is called: `tcp:0.0.0.0:8080`, `tcp:[::]:8080`.
    public var key: String {
        let host = address.family == .ipv6 ? "[\(address)]" : "\(address)"
        return "\(self.protocol.rawValue):\(host):\(ports)"
    }
}

/// A request for a forward.
public struct NetworkForwardCreate: Codable, Sendable {
    public var `protocol`: TransportProtocol
    /// The host's address; all of IPv4 without it.
    public var address: IPAddress?
    public var ports: PortRange
    public var vm: Reference
    /// The first of the VM's ports; the same as the host's without it.
    public var vmPort: Int?
    public init(protocol: TransportProtocol, ports: PortRange, vm: Reference) {
        self.protocol = `protocol`
        self.ports = ports
        self.vm = vm
    }
}

extension NetworkForwardCreate: FieldLimits {
    static var limits: [String: Schema] { ["vmPort": .whole(1...65_535)] }
}
