// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// What DHCP tells guests beside their address, in libvirt's options for dnsmasq. Other options stay.
struct DHCPOptions: Hashable, Sendable {
    var ntpServers: [IPAddress] = []
    var routes: [DHCPRoute] = []

    private static let place = "dnsmasq:options"
    private static let space = "http://libvirt.org/schemas/network/dnsmasq/1.0"
    private static let ntp = ["dhcp-option=option:ntp-server,", "dhcp-option=42,"]
    private static let static121 = ["dhcp-option=option:classless-static-route,", "dhcp-option=121,"]

    /// Those of a definition; what is written in another way is not understood, and left.
    init(_ network: NetworkXML) {
        for value in Self.values(network) {
            if let words = Self.words(value, Self.ntp) { ntpServers += words.compactMap { IPAddress($0) } }
            guard let words = Self.words(value, Self.static121) else { continue }
            for place in stride(from: 0, to: words.count - 1, by: 2) {
                guard let subnet = try? Subnet(checking: words[place]),
                    let gateway = IPAddress(words[place + 1]),
                    let route = DHCPRoute(subnet, via: gateway)
                else { continue }
                routes.append(route)
            }
        }
    }

    init(ntpServers: [IPAddress], routes: [DHCPRoute]) {
        (self.ntpServers, self.routes) = (ntpServers, routes)
    }

    /// Without the route to everybody that ``write(to:)`` adds.
    func told(by hosts: [IPAddress]) -> DHCPOptions {
        var copy = self
        copy.routes.removeAll { $0.subnet.prefix == 0 && hosts.contains($0.gateway) }
        return copy
    }

    /// Makes a definition say this.
    /// - Parameter gateway: the host's address, where it leads to everybody: who is told routes listens to no
    ///   other word about a router (RFC 3442).
    func write(to network: inout NetworkXML, gateway: IPAddress?) {
        let others = Self.values(network).filter {
            Self.words($0, Self.ntp) == nil && Self.words($0, Self.static121) == nil
        }
        var values = others
        if !ntpServers.isEmpty {
            values.append(Self.ntp[0] + ntpServers.map(\.description).joined(separator: ","))
        }
        var routes = routes
        if !routes.isEmpty, !routes.contains(where: { $0.subnet.prefix == 0 }), let gateway {
            let everywhere = Subnet(of: IPAddress(.ipv4, 0), prefix: 0)
            if let route = DHCPRoute(everywhere, via: gateway) { routes.insert(route, at: 0) }
        }
        if !routes.isEmpty {
            let words = routes.flatMap { [$0.subnet.description, $0.gateway.description] }
            values.append(Self.static121[0] + words.joined(separator: ","))
        }
        guard values != Self.values(network) else { return }
        let options = values.map { Element("dnsmasq:option", ["value": $0]) }
        network.element[attribute: "xmlns:dnsmasq"] = Self.space
        network.element[child: Self.place] = options.isEmpty ? nil : Element(Self.place, children: options)
    }

    static func values(_ network: NetworkXML) -> [String] {
        network.element.elements(named: place).flatMap { $0.elements(named: "dnsmasq:option") }
            .compactMap { $0[attribute: "value"] }
    }

    private static func words(_ value: String, _ heads: [String]) -> [String]? {
        guard let head = heads.first(where: value.hasPrefix) else { return nil }
        return value.dropFirst(head.count).split(separator: ",").map(String.init)
    }
}

extension NetworkRules {
    /// - Parameter subnet: the network's of IPv4; `nil`: it has none, or it is still to be found.
    static func optionProblems(
        _ ntpServers: [IPAddress], _ routes: [DHCPRoute], _ subnet: Subnet?, isKnown: Bool
    ) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        for (index, server) in ntpServers.enumerated() where server.family != .ipv4 {
            problems.append(FieldProblem("ntpServers[\(index)]", "DHCP of IPv4 names servers of IPv4"))
        }
        for (index, route) in routes.enumerated() {
            let field = "routes[\(index)]"
            if route.subnet.family != .ipv4 {
                problems.append(FieldProblem(field, "guests learn routes of IPv6 from routers, not by DHCP"))
            } else if isKnown, subnet?.contains(route.gateway) != true {
                problems.append(
                    FieldProblem(field, "guests reach only a gateway inside of the network's subnet"))
            } else if routes[..<index].contains(where: { $0.subnet == route.subnet }) {
                problems.append(FieldProblem(field, "one gateway for each subnet"))
            }
        }
        if ntpServers.count > Limits.ntpServers {
            problems.append(FieldProblem("ntpServers", "at most \(Limits.ntpServers)"))
        }
        if routes.count > Limits.dhcpRoutes {
            problems.append(FieldProblem("routes", "at most \(Limits.dhcpRoutes)"))
        }
        return problems
    }
}
