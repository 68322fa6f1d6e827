// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import FoundationEssentials
import Glibc

/// A DHCP lease that a network gave.
public struct DHCPLease: Sendable, Hashable {
    /// The bridge it was given on.
    public let interface: String
    /// When it ends.
    public let expires: Date
    /// Whether it is IPv6.
    public let isIPv6: Bool
    /// The address.
    public let address: String
    /// The length of the network's prefix.
    public let prefix: UInt32
    /// Who got it; absent for some IPv6 leases.
    public let mac: String?
    /// The name that the client sent.
    public let hostname: String?
    /// The client's own identifier.
    public let clientID: String?
}

extension Network {
    /// What is done to an element.
    public enum UpdateCommand: Sendable, Hashable {
        /// Replace the one with the same key.
        case modify
        /// Remove it.
        case delete
        /// Add it after the others.
        case addLast
        /// Add it before the others.
        case addFirst

        var number: UInt32 {
            switch self {
            case .modify: VIR_NETWORK_UPDATE_COMMAND_MODIFY.rawValue
            case .delete: VIR_NETWORK_UPDATE_COMMAND_DELETE.rawValue
            case .addLast: VIR_NETWORK_UPDATE_COMMAND_ADD_LAST.rawValue
            case .addFirst: VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST.rawValue
            }
        }
    }

    /// Which part of the network is changed.
    public struct Section: RawRepresentable, Sendable, Hashable {
        /// libvirt's number.
        public let rawValue: UInt32
        /// A part by libvirt's number.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// A `<host>` under `<dhcp>`.
        public static let dhcpHost = Section(rawValue: VIR_NETWORK_SECTION_IP_DHCP_HOST.rawValue)
        /// A `<range>` under `<dhcp>`.
        public static let dhcpRange = Section(rawValue: VIR_NETWORK_SECTION_IP_DHCP_RANGE.rawValue)
        /// A `<host>` under `<dns>`.
        public static let dnsHost = Section(rawValue: VIR_NETWORK_SECTION_DNS_HOST.rawValue)
        /// A `<txt>` under `<dns>`.
        public static let dnsText = Section(rawValue: VIR_NETWORK_SECTION_DNS_TXT.rawValue)
        /// A `<srv>` under `<dns>`.
        public static let dnsService = Section(rawValue: VIR_NETWORK_SECTION_DNS_SRV.rawValue)
        /// A `<portgroup>`.
        public static let portgroup = Section(rawValue: VIR_NETWORK_SECTION_PORTGROUP.rawValue)
        /// An `<interface>` under `<forward>`.
        public static let forwardInterface = Section(rawValue: VIR_NETWORK_SECTION_FORWARD_INTERFACE.rawValue)
    }

    /// Changes one element of the network without a restart.
    /// - Parameter parentIndex: which `<ip>` is meant, counted from 0; -1 leaves it to libvirt.
    /// - Throws: `LibvirtError`.
    public func update(
        _ command: UpdateCommand, _ section: Section, parentIndex: Int32 = -1, xml: String,
        _ affect: Domain.Affect
    ) async throws {
        try await call {
            _ = try check(
                virNetworkUpdate($0, command.number, section.rawValue, parentIndex, xml, affect.rawValue))
        }
    }

    /// The leases it gave, all or those of one MAC address.
    /// - Throws: `LibvirtError`.
    public func leases(mac: String? = nil) async throws -> [DHCPLease] {
        try await call { raw in
            var list: UnsafeMutablePointer<virNetworkDHCPLeasePtr?>?
            let count = try Int(check(virNetworkGetDHCPLeases(raw, mac, &list, 0)))
            defer { free(list) }
            return (0..<count).compactMap { index in
                guard let item = list?[index] else { return nil }
                defer { virNetworkDHCPLeaseFree(item) }
                return DHCPLease(item.pointee)
            }
        }
    }
}

extension DHCPLease {
    init(_ raw: virNetworkDHCPLease) {
        interface = raw.iface.map { String(cString: $0) } ?? ""
        expires = Date(timeIntervalSince1970: Double(raw.expirytime))
        isIPv6 = raw.type == Int32(VIR_IP_ADDR_TYPE_IPV6.rawValue)
        address = raw.ipaddr.map { String(cString: $0) } ?? ""
        prefix = raw.prefix
        mac = raw.mac.map { String(cString: $0) }
        hostname = raw.hostname.map { String(cString: $0) }
        clientID = raw.clientid.map { String(cString: $0) }
    }
}
