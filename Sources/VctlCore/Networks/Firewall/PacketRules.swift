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
    var body: String? {
        guard !forwards.isEmpty || networks.contains(where: { $0.model == .isolated || $0.model == .nat })
        else { return nil }
        let input =
            closed.map { "iifname \"\($0)\" drop" }
            + loopbackBridges.map { "iifname \"\($0)\" ip daddr 127.0.0.0/8 \(Self.unasked) drop" }
        return chain("prerouting", "nat", "prerouting", "dstnat", forwards.map(translate))
            + chain("redirected", "nat", "output", "-100", forwards.map(translate))
            + chain("forward", "filter", "forward", "filter", isolation + networks.flatMap(natted))
            + chain("input", "filter", "input", "filter", input)
            + chain("output", "filter", "output", "filter", closed.map { "oifname \"\($0)\" drop" })
            + chain(
                "postrouting", "nat", "postrouting", "srcnat",
                networks.flatMap(hairpin) + networks.flatMap(masquerade))
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

    /// A guest that asks for the host's port is answered by a neighbour: it has to hear the host.
    private func hairpin(_ network: Network) -> [String] {
        guard let bridge = network.bridge else { return [] }
        let families = Set(forwards.filter { $0.networkID == network.id }.map(\.address.family))
        return network.subnets.filter { families.contains($0.family) }.flatMap { subnet in
            let own = "\(subnet.family.keyword) saddr"
            let loop = subnet.family == .ipv4 ? ["127.0.0.0/8"] : []
            return (["\(subnet)"] + loop).map {
                "\(own) \($0) oifname \"\(bridge)\" ct status dnat masquerade"
            }
        }
    }

    private func chain(
        _ name: String, _ type: String, _ hook: String, _ priority: String, _ rules: [String]
    ) -> String {
        guard !rules.isEmpty else { return "" }
        let head = "type \(type) hook \(hook) priority \(priority); policy accept;"
        return "chain \(name) {\n" + ([head] + rules).map { "    \($0)\n" }.joined() + "}\n"
    }

    private func bridges(_ model: NetworkModel) -> [String] {
        networks.filter { $0.model == model }.compactMap(\.bridge)
    }

    /// The bridges of networks that the host is not in. Without a rule its other addresses could be reached:
    /// Linux answers for them on every link.
    private var closed: [String] {
        networks.filter { $0.model == .isolated && !$0.hostAccess }.compactMap(\.bridge)
    }

    /// Before all others, which let pass what belongs to a flow.
    private var isolation: [String] {
        bridges(.isolated).map { "iifname \"\($0)\" oifname \"\($0)\" accept" }
            + bridges(.isolated).flatMap { ["iifname \"\($0)\" drop", "oifname \"\($0)\" drop"] }
    }

    private func natted(_ network: Network) -> [String] {
        guard network.model == .nat, let bridge = network.bridge else { return [] }
        let isForwardedTo = forwards.contains { $0.networkID == network.id }
        return [
            "iifname \"\(bridge)\" oifname \"\(bridge)\" accept",
            "oifname \"\(bridge)\" ct state established,related accept",
        ] + (isForwardedTo ? ["oifname \"\(bridge)\" ct status dnat accept"] : []) + [
            "oifname \"\(bridge)\" drop"
        ] + IPFamily.allCases.map { own(network, bridge, $0) }
    }

    /// What says that it comes from elsewhere would leave the host with that address.
    private func own(_ network: Network, _ bridge: String, _ family: IPFamily) -> String {
        guard let subnet = network.subnets.first(where: { $0.family == family }) else {
            return "iifname \"\(bridge)\" meta nfproto \(family.rawValue) drop"
        }
        return "iifname \"\(bridge)\" \(family.keyword) saddr != \(subnet) drop"
    }

    private func masquerade(_ network: Network) -> [String] {
        guard network.model == .nat, let bridge = network.bridge else { return [] }
        return network.subnets.map { subnet in
            "\(subnet.family.keyword) saddr \(subnet) oifname != \"\(bridge)\""
                + " \(subnet.family.keyword) daddr != \(subnet.family.multicast) masquerade"
        }
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
