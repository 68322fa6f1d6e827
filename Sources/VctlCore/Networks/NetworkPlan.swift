// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// A new network with everything decided and minted.
struct NetworkPlan: Codable, Hashable, Sendable {
    var name: String
    /// libvirt's mark of it, with its id and model.
    var mark: Mark
    /// The host's bridge: one of its own, or that of the LAN.
    var bridge: String
    var subnets: [Subnet] = []
    var dhcpRanges: [DHCPRange] = []
    /// Absent in what an older daemon has stored.
    var ntpServers: [IPAddress]?
    var routes: [DHCPRoute]?
    var domain: String?
    var mtu: Int?
    var vlan: Int?

    var id: ObjectID { mark.id }
    var model: NetworkModel { mark.network?.model ?? .isolated }
    var reference: ObjectReference { ObjectReference(kind: .network, id: id, name: name) }

    /// The host's address in a subnet: the first that is no network's.
    static func hostAddress(_ subnet: Subnet) -> IPAddress { subnet.address(at: 1) }

    /// The row that holds the name, the bridge and the addresses until libvirt has the network.
    func reserved(at time: Timestamp, autostart: Bool) -> Network {
        var network = Network(id: id, name: name, mode: mode, state: .stopped, observedAt: time)
        network.model = model
        network.bridge = bridge
        network.subnet = subnets.first { $0.family == .ipv4 }
        network.subnet6 = subnets.first { $0.family == .ipv6 }
        network.hostAddresses = subnets.map(Self.hostAddress)
        (network.dhcpRanges, network.domain, network.mtu, network.vlan) = (dhcpRanges, domain, mtu, vlan)
        (network.ntpServers, network.routes) = (ntpServers, routes)
        network.hostAccess = NetworkProjection.hasHost(model, mark)
        (network.labels, network.managed, network.protected) = (mark.labels, true, mark.protected)
        (network.createdAt, network.autostart) = (mark.createdAt, autostart)
        return network
    }

    /// libvirt's forward mode. Its own `nat` refuses what comes in, which no rule of ours could let through;
    /// with `open` it makes no rules at all.
    private var mode: String {
        switch model {
        case .isolated: "none"
        case .routed, .nat: "open"
        case .bridged: "bridge"
        }
    }

    /// The whole definition. Pure: the same plan gives the same text.
    func networkXML() -> NetworkXML {
        var network = NetworkXML()
        network.name = name
        network.uuid = id.rawValue
        mark.write(into: &network)
        if mode != "none" { network.forwardMode = mode }
        network.bridge = bridge
        if let vlan { network.vlanTags = [vlan] }
        guard model != .bridged else { return network }
        (network.bridgeStp, network.bridgeDelay, network.mtu) = (false, 0, mtu)
        if let domain { (network.domain, network.domainLocalOnly) = (domain, true) }
        network.ips = subnets.map(ip)
        if !subnets.isEmpty { addOptions(&network) }
        let gateway = model == .isolated ? nil : subnets.first { $0.family == .ipv4 }.map(Self.hostAddress)
        DHCPOptions(ntpServers: ntpServers ?? [], routes: routes ?? []).write(to: &network, gateway: gateway)
        return network
    }

    private func ip(_ subnet: Subnet) -> NetworkIpXML {
        var ip = NetworkIpXML()
        if subnet.family == .ipv6 { ip.family = "ipv6" }
        ip.address = Self.hostAddress(subnet).description
        ip.prefix = subnet.prefix
        ip.dhcpRanges = dhcpRanges.filter { $0.family == subnet.family }.map(DhcpRangeXML.init)
        return ip
    }

    /// dnsmasq would ping each address for three seconds before it gives it away.
    private func addOptions(_ network: inout NetworkXML) {
        network.element[attribute: "xmlns:dnsmasq"] = "http://libvirt.org/schemas/network/dnsmasq/1.0"
        let option = Element("dnsmasq:option", ["value": "no-ping"])
        network.element.append(Element("dnsmasq:options", children: [option]))
    }
}

extension DhcpRangeXML {
    init(_ range: DHCPRange) {
        self.init()
        (self.start, self.end) = (range.first.description, range.last.description)
    }

    /// The range, where it is one.
    var range: DHCPRange? {
        guard let first = self.start.flatMap({ IPAddress($0) }),
            let last = self.end.flatMap({ IPAddress($0) })
        else {
            return nil
        }
        return DHCPRange(first, last)
    }
}

extension NetworkIpXML {
    /// The subnet that its address is in.
    var subnet: Subnet? {
        guard let host = self.address.flatMap({ IPAddress($0) }) else { return nil }
        if let prefix = self.prefix { return Subnet(of: host, prefix: prefix) }
        guard let mask = self.netmask.flatMap({ IPAddress($0) }) else { return nil }
        return Subnet(of: host, prefix: mask.number.nonzeroBitCount)
    }
}
