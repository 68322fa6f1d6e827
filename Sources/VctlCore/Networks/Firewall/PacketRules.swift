// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What our table of nftables says, made from the networks alone: pure, so that the same networks give the
/// same text.
///
/// `accept` ends only our own chain: what another table drops stays dropped. A packet between two guests of
/// one network is seen here only where br_netfilter shows it, and must pass then.
struct PacketRules: Sendable {
    /// Those that rules are for, by name.
    let networks: [Network]

    /// Those that lead to one of them.
    let forwards: [NetworkForward]

    init(_ networks: [Network], forwards: [NetworkForward] = []) {
        self.networks = networks.filter(Self.hasRules).sorted { $0.name < $1.name }
        let known = Set(self.networks.map(\.id))
        // Those of one address of the host before those of all.
        self.forwards = forwards.filter { known.contains($0.networkID) }.sorted {
            ($0.address.number == 0 ? 1 : 0, $0.key) < ($1.address.number == 0 ? 1 : 0, $1.key)
        }
    }

    /// Ours, and of a kind that libvirt makes no rules for that would contradict.
    private static func hasRules(_ network: Network) -> Bool {
        guard network.managed, let bridge = network.bridge, NetworkRules.isLinkName(bridge) else {
            return false
        }
        return ["none", "open"].contains(network.mode) && network.model != .bridged
    }

    /// The table between its braces; `nil`: nobody needs it.
    var body: String? { table?.body }

    /// The table; `nil`: nobody needs it. Hooks find what there is to say of a network by the name of its
    /// bridge or by its subnet: so a packet is not shown the rules of all networks, and a change of one
    /// network is one of its own chains.
    var table: RuleTable? {
        guard !forwards.isEmpty || networks.contains(where: { $0.model == .isolated || $0.model == .nat })
        else { return nil }
        var table = RuleTable()
        // Were a bridge named by two of them, the stricter rules would come first.
        for network in networks.filter({ $0.model == .isolated }) { isolate(network, &table) }
        for network in networks.filter({ $0.model == .nat }) { translate(network, &table) }
        for network in networks { reach(network, &table) }
        for bridge in loopbackBridges {
            table.lead(bridge, by: "entering", to: ["ip daddr 127.0.0.0/8 \(Self.unasked) drop"])
        }
        hook(&table)
        return table
    }

    private func hook(_ table: inout RuleTable) {
        let maps = table.maps
        let jumps = table.chains.keys.filter { $0.hasPrefix(Self.forwardPrefix) }.sorted().map {
            "jump \($0)"
        }
        let look = { (rule: String, map: String) -> [String] in
            maps[map] == nil ? [] : ["\(rule) vmap @\(map)"]
        }
        table.hook("prerouting", "nat", "prerouting", "dstnat", jumps)
        table.hook("redirected", "nat", "output", "-100", jumps)
        table.hook(
            "forward", "filter", "forward", "filter", look("iifname", "leaving") + look("oifname", "arriving")
        )
        table.hook("input", "filter", "input", "filter", look("iifname", "entering"))
        table.hook("output", "filter", "output", "filter", look("oifname", "sent"))
        let sources = Set(networks.flatMap(\.subnets).map(Source.init)).sorted()
        table.hook(
            "postrouting", "nat", "postrouting", "srcnat",
            look("oifname", "returning") + sources.flatMap { look($0.match, $0.map) })
    }

    /// What is no answer to somebody here.
    private static let unasked = "ct state != { established, related }"

    /// The bridges of networks that a forward leads to, by way of which a host that asks itself gets there:
    /// with the address 127.0.0.1 packets leave a host only where that is allowed.
    var loopbackBridges: [String] {
        let wanted = Set(forwards.filter { $0.address.family == .ipv4 }.map(\.networkID))
        return networks.filter { wanted.contains($0.id) }.compactMap(\.bridge)
    }

    /// The same for those who come from outside, and for the host itself.
    private func translate(_ forward: NetworkForward) -> String {
        let family = forward.address.family
        let isEverywhere = forward.address.number == 0
        // Nothing of IPv6's loopback can leave a host.
        let everywhere = family == .ipv6 ? "ip6 daddr != ::1" : "meta nfproto ipv4"
        let whom =
            (isEverywhere ? everywhere : "\(family.keyword) daddr \(forward.address)")
            + " fib daddr type local"
        let port = "\(forward.protocol.rawValue) dport"
        let target = "dnat \(family.keyword) to \(forward.vmAddress.inRule)"
        let head = "\(whom) \(port) \(forward.ports) "
        if forward.ports == forward.vmPorts {
            return head + target.replacing("[", with: "").replacing("]", with: "")
        }
        guard forward.ports.count > 1 else { return head + target + ":\(forward.vmPorts.first)" }
        let shift = forward.vmPorts.first - forward.ports.first
        let pairs = (forward.ports.first...forward.ports.last).map { "\($0) : \($0 + shift)" }
        return head + target + " : \(port) map { \(pairs.joined(separator: ", ")) }"
    }

    private static let forwardPrefix = "forwards_"

    /// What leads to a network from the host's ports. A guest that asks for one of these is answered by a
    /// neighbour: it has to hear the host.
    private func reach(_ network: Network, _ table: inout RuleTable) {
        let own = forwards.filter { $0.networkID == network.id }
        guard !own.isEmpty, let bridge = network.bridge else { return }
        table.add(own.map(translate), to: Self.forwardPrefix + bridge)
        let families = Set(own.map(\.address.family))
        let hairpins = network.subnets.filter { families.contains($0.family) }.flatMap { subnet in
            let loop = subnet.family == .ipv4 ? ["127.0.0.0/8"] : []
            return (["\(subnet)"] + loop).map {
                "\(subnet.family.keyword) saddr \($0) ct status dnat masquerade"
            }
        }
        table.lead(bridge, by: "returning", to: hairpins)
    }

    /// Guests reach each other and nobody else. Where the host is not in, a rule is needed lest its other
    /// addresses be reached: Linux answers for them on every link.
    private func isolate(_ network: Network, _ table: inout RuleTable) {
        guard let bridge = network.bridge else { return }
        table.lead(bridge, by: "leaving", to: ["oifname \"\(bridge)\" accept", "drop"])
        table.lead(bridge, by: "arriving", to: ["drop"])
        guard !network.hostAccess else { return }
        table.lead(bridge, by: "entering", to: ["drop"])
        table.lead(bridge, by: "sent", to: ["drop"])
    }

    private func translate(_ network: Network, _ table: inout RuleTable) {
        guard let bridge = network.bridge else { return }
        table.lead(
            bridge, by: "leaving",
            to: ["oifname \"\(bridge)\" accept"] + IPFamily.allCases.map { own(network, $0) })
        let isForwardedTo = forwards.contains { $0.networkID == network.id }
        table.lead(
            bridge, by: "arriving",
            to: ["ct state established,related accept"] + (isForwardedTo ? ["ct status dnat accept"] : [])
                + ["drop"])
        for subnet in network.subnets {
            let source = Source(subnet)
            let family = subnet.family.keyword
            let rule =
                "\(family) saddr \(subnet) oifname != \"\(bridge)\""
                + " \(family) daddr != \(subnet.family.multicast) masquerade"
            table.lead(
                "\(subnet.address)", of: source.type, by: source.map,
                String(subnet.address.number, radix: 16), to: [rule])
        }
    }

    /// What says that it comes from elsewhere would leave the host with that address.
    private func own(_ network: Network, _ family: IPFamily) -> String {
        guard let subnet = network.subnets.first(where: { $0.family == family }) else {
            return "meta nfproto \(family.rawValue) drop"
        }
        return "\(family.keyword) saddr != \(subnet) drop"
    }
}

/// By which of its parts a sender's address is looked up among subnets of one size.
private struct Source: Hashable, Comparable {
    let family: IPFamily
    let prefix: Int

    init(_ subnet: Subnet) { (family, prefix) = (subnet.family, subnet.prefix) }

    var map: String { "sources\(family == .ipv4 ? 4 : 6)_\(prefix)" }
    var type: String { family == .ipv4 ? "ipv4_addr" : "ipv6_addr" }

    var match: String {
        let mask = Subnet(of: IPAddress(family, .max), prefix: prefix).address
        return "\(family.keyword) saddr & \(mask)"
    }

    static func < (one: Source, other: Source) -> Bool { one.map < other.map }
}

extension RuleTable {
    /// Rules for what comes or goes by a bridge.
    fileprivate mutating func lead(_ bridge: String, by map: String, to rules: [String]) {
        lead("\"\(bridge)\"", of: "ifname", by: map, bridge, to: rules)
    }
}

extension IPAddress {
    /// With brackets, where a port may follow.
    fileprivate var inRule: String { family == .ipv6 ? "[\(self)]" : "\(self)" }
}

extension IPFamily {
    /// As nftables calls the header.
    var keyword: String { self == .ipv4 ? "ip" : "ip6" }
    fileprivate var multicast: String { self == .ipv4 ? "224.0.0.0/4" : "ff00::/8" }
}
