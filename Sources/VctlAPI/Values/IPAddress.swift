// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The two families of addresses.
public enum IPFamily: String, APIEnum {
    case ipv4, ipv6

    /// The bits of an address.
    public var bits: Int { self == .ipv4 ? 32 : 128 }
}

/// An IPv4 or IPv6 address, written as `inet_ntop` does.
public struct IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Its family.
    public let family: IPFamily
    /// Its bits as a number.
    public let number: UInt128

    /// The address with these bits.
    public init(_ family: IPFamily, _ number: UInt128) {
        self.family = family
        self.number = number
    }

    /// `nil` when the text is no address.
    public init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(.ipv4, UInt128(UInt32(bigEndian: four.s_addr)))
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(.ipv6, withUnsafeBytes(of: &six) { $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } })
        } else {
            return nil
        }
    }

    public var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let bytes = (0..<family.bits / 8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        let kind = family == .ipv4 ? AF_INET : AF_INET6
        _ = bytes.withUnsafeBytes { inet_ntop(kind, $0.baseAddress, &buffer, socklen_t(buffer.count)) }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The address so many places behind.
    public func advanced(by count: UInt128) -> IPAddress { IPAddress(family, number &+ count) }

    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.family == right.family ? left.number < right.number : left.family == .ipv4
    }
}

extension IPAddress: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        guard let address = IPAddress(text) else {
            throw InvalidValue(value: text, problem: "this is no IPv4 or IPv6 address")
        }
        self = address
    }
    public static var schema: Schema { Schema(type: "string", pattern: "^[0-9A-Fa-f:.]{2,45}$") }
    public static var example: IPAddress { IPAddress("10.20.30.1")! }
}

/// The addresses of a network: `10.20.30.0/24`, `fd00:1:2:3::/64`.
public struct Subnet: Hashable, Sendable, CustomStringConvertible {
    /// The first of them.
    public let address: IPAddress
    /// How many bits they have in common.
    public let prefix: Int

    /// The network of so many bits that an address is in.
    public init(of address: IPAddress, prefix: Int) {
        self.prefix = min(max(prefix, 0), address.family.bits)
        let host = Self.hostMask(address.family, self.prefix)
        self.address = IPAddress(address.family, address.number & ~host)
    }

    private static func hostMask(_ family: IPFamily, _ prefix: Int) -> UInt128 {
        let bits = family.bits - prefix
        return bits == 128 ? UInt128.max : (UInt128(1) << bits) - 1
    }

    /// Its family.
    public var family: IPFamily { address.family }
    /// The last address.
    public var last: IPAddress {
        IPAddress(family, address.number | Self.hostMask(family, prefix))
    }

    /// The address so many places behind the first.
    public func address(at place: UInt128) -> IPAddress { address.advanced(by: place) }

    /// Whether an address is in it.
    public func contains(_ other: IPAddress) -> Bool {
        other.family == family && address <= other && other <= last
    }

    /// Whether some address is in both.
    public func overlaps(_ other: Subnet) -> Bool { contains(other.address) || other.contains(address) }

    public var description: String { "\(address)/\(prefix)" }
}

extension Subnet: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let prefix = Int(parts[1]),
            (0...address.family.bits).contains(prefix)
        else {
            throw InvalidValue(value: text, problem: "this is no subnet; write 10.20.30.0/24 or fd00:1::/64")
        }
        self.init(of: address, prefix: prefix)
        guard self.address == address else {
            throw InvalidValue(
                value: text, problem: "this is an address in the subnet \(self); write that")
        }
    }
    public static var schema: Schema { Schema(type: "string", pattern: "^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3}$") }
    public static var example: Subnet { Subnet(of: .example, prefix: 24) }
}

/// A subnet, or that a free one is to be found, or that there is to be none.
public enum SubnetChoice: Hashable, Sendable {
    case auto
    case none
    case subnet(Subnet)
}

extension SubnetChoice: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        switch text {
        case "auto": self = .auto
        case "none": self = .none
        default: self = .subnet(try Subnet(checking: text))
        }
    }

    public var description: String {
        switch self {
        case .auto: "auto"
        case .none: "none"
        case .subnet(let subnet): "\(subnet)"
        }
    }

    public static var schema: Schema {
        Schema(type: "string", pattern: "^(auto|none|[0-9A-Fa-f:.]{2,45}/[0-9]{1,3})$")
    }
    public static var example: SubnetChoice { .auto }
}

/// The addresses that DHCP gives away: `10.20.30.10-10.20.30.99`.
public struct DHCPRange: Hashable, Sendable, CustomStringConvertible {
    /// The lowest.
    public let first: IPAddress
    /// The highest.
    public let last: IPAddress

    /// All from one address to another of the same family; `nil` where there are none.
    public init?(_ first: IPAddress, _ last: IPAddress) {
        guard first.family == last.family, first <= last else { return nil }
        (self.first, self.last) = (first, last)
    }

    /// Its family.
    public var family: IPFamily { first.family }
    public var description: String { "\(first)-\(last)" }
    /// Whether an address is one of them.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == family && first <= address && address <= last
    }
}

extension DHCPRange: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { IPAddress(String($0)) }
        guard parts.count == 2, let first = parts[0], let last = parts[1] else {
            throw InvalidValue(value: text, problem: "this is no range; write 10.20.30.10-10.20.30.99")
        }
        guard let range = DHCPRange(first, last) else {
            throw InvalidValue(
                value: text, problem: "a range is from an address to a higher one of the same family")
        }
        self = range
    }
    public static var schema: Schema {
        Schema(type: "string", pattern: "^[0-9A-Fa-f:.]{2,45}-[0-9A-Fa-f:.]{2,45}$")
    }
    public static var example: DHCPRange {
        DHCPRange(Subnet.example.address(at: 10), Subnet.example.address(at: 99))!
    }
}
