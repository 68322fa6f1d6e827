// SPDX-License-Identifier: Apache-2.0

/// A route that DHCP tells guests (RFC 3442): `10.0.0.0/8,via=10.20.30.7`.
public struct DHCPRoute: Hashable, Sendable, CustomStringConvertible {
    /// Where to.
    public let subnet: Subnet
    /// By whom, of the same family.
    public let gateway: IPAddress

    /// `nil` where the two are of different families.
    public init?(_ subnet: Subnet, via gateway: IPAddress) {
        guard subnet.family == gateway.family else { return nil }
        (self.subnet, self.gateway) = (subnet, gateway)
    }

    public var description: String { "\(subnet),via=\(gateway)" }
}

extension DHCPRoute: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts[1].hasPrefix("via="),
            let gateway = IPAddress(String(parts[1].dropFirst(4)))
        else {
            throw InvalidValue(value: text, problem: "this is no route; write 10.0.0.0/8,via=10.20.30.7")
        }
        guard let route = DHCPRoute(try Subnet(checking: parts[0]), via: gateway) else {
            throw InvalidValue(value: text, problem: "a route and its gateway are of the same family")
        }
        self = route
    }
    public static var schema: Schema {
        Schema(type: "string", pattern: "^[0-9A-Fa-f:.]{2,45}/[0-9]{1,3},via=[0-9A-Fa-f:.]{2,45}$")
    }
    public static var example: DHCPRoute {
        DHCPRoute(Subnet(of: IPAddress(.ipv4, 0x0A00_0000), prefix: 8), via: Subnet.example.address(at: 7))!
    }
}
