// SPDX-License-Identifier: Apache-2.0
import CLibvirt
import Glibc

extension Domain {
    /// Adds the device that the XML describes.
    /// - Throws: `LibvirtError`.
    public func attachDevice(_ xml: String, _ affect: Affect) async throws {
        try await call { _ = try check(virDomainAttachDeviceFlags($0, xml, affect.rawValue)) }
    }

    /// Asks the guest to let go of a device; it is gone with the `deviceRemoved` event.
    /// - Throws: `LibvirtError`, `noDevice` if there is no such one.
    public func detachDevice(_ xml: String, _ affect: Affect) async throws {
        try await call { _ = try check(virDomainDetachDeviceFlags($0, xml, affect.rawValue)) }
    }

    /// The same by the device's alias.
    /// - Throws: `LibvirtError`.
    public func detachDevice(alias: String, _ affect: Affect) async throws {
        try await call { _ = try check(virDomainDetachDeviceAlias($0, alias, affect.rawValue)) }
    }

    /// Changes a device in place.
    /// - Parameter force: also eject a medium that the guest holds on to.
    /// - Throws: `LibvirtError`.
    public func updateDevice(_ xml: String, force: Bool = false, _ affect: Affect) async throws {
        let flags = affect.rawValue | (force ? VIR_DOMAIN_DEVICE_MODIFY_FORCE.rawValue : 0)
        try await call { _ = try check(virDomainUpdateDeviceFlags($0, xml, flags)) }
    }

    /// Limits a disk's I/O; the names are those of `<iotune>`.
    /// - Throws: `LibvirtError`.
    public func setBlockIOTune(_ disk: String, _ limits: TypedParameters, _ affect: Affect) async throws {
        try await call { raw in
            try limits.withRaw { parameters, count in
                _ = try check(virDomainSetBlockIoTune(raw, disk, parameters, count, affect.rawValue))
            }
        }
    }

    /// Limits an interface; the names are libvirt's (`inbound.average`, …).
    /// - Throws: `LibvirtError`.
    public func setInterfaceParameters(
        _ device: String, _ values: TypedParameters, _ affect: Affect
    ) async throws {
        try await call { raw in
            try values.withRaw { parameters, count in
                _ = try check(
                    virDomainSetInterfaceParameters(raw, device, parameters, count, affect.rawValue))
            }
        }
    }
}

/// An address of a guest's interface.
public struct InterfaceAddress: Sendable, Hashable {
    /// Whether it is IPv6.
    public let isIPv6: Bool
    /// The address as text.
    public let address: String
    /// The length of the network's prefix.
    public let prefix: UInt32
}

/// A guest's interface with its addresses.
public struct InterfaceAddresses: Sendable, Hashable {
    /// Its name: the host's for leases, the guest's for the agent.
    public let name: String
    /// Its MAC address, if known.
    public let mac: String?
    /// What it is reached by.
    public let addresses: [InterfaceAddress]
}

extension Domain {
    /// Who is asked for addresses.
    public enum AddressSource: Sendable, Hashable {
        /// The DHCP leases of libvirt's networks.
        case lease
        /// The guest agent.
        case agent
        /// The host's ARP table.
        case arp

        var flag: UInt32 {
            switch self {
            case .lease: VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE.rawValue
            case .agent: VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT.rawValue
            case .arp: VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP.rawValue
            }
        }
    }

    /// The addresses of a running guest.
    /// - Throws: `LibvirtError`.
    public func interfaceAddresses(_ source: AddressSource) async throws -> [InterfaceAddresses] {
        try await call { raw in
            var list: UnsafeMutablePointer<virDomainInterfacePtr?>?
            let count = try Int(check(virDomainInterfaceAddresses(raw, &list, source.flag, 0)))
            defer { free(list) }
            return (0..<count).compactMap { index in
                guard let item = list?[index] else { return nil }
                defer { virDomainInterfaceFree(item) }
                return InterfaceAddresses(item.pointee)
            }
        }
    }
}

extension InterfaceAddresses {
    init(_ raw: virDomainInterface) {
        name = raw.name.map { String(cString: $0) } ?? ""
        mac = raw.hwaddr.map { String(cString: $0) }
        addresses = UnsafeBufferPointer(start: raw.addrs, count: Int(raw.naddrs)).map { InterfaceAddress($0) }
    }
}

extension InterfaceAddress {
    init(_ raw: virDomainIPAddress) {
        isIPv6 = raw.type == Int32(VIR_IP_ADDR_TYPE_IPV6.rawValue)
        address = raw.addr.map { String(cString: $0) } ?? ""
        prefix = raw.prefix
    }
}
