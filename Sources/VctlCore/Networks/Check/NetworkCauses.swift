// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Why packets of a network may not go as they should, from what the host says of itself. Nothing is sent,
/// and nothing is changed.
struct NetworkCauses: Sendable {
    let network: Network
    let bridge: String
    let files: HostFiles
    let rulesets: [Ruleset]
    /// Whether our table is as it was written; `nil`: it has nothing for this network.
    let areRulesIntact: Bool?
    /// How many of its packets stay inside the bridge and are shown to the filters nevertheless.
    private var shown: Set<IPFamily> {
        Set(
            [(IPFamily.ipv4, "iptables"), (.ipv6, "ip6tables")].filter {
                files.text("/proc/sys/net/bridge/bridge-nf-call-\($0.1)") == "1"
            }.map(\.0))
    }

    /// What may be the reason that a path differs.
    /// - Parameter guest: the guest's address.
    func causes(of path: NetworkPath, guest: IPAddress?) -> [NetworkCause] {
        var causes = areRulesIntact == false ? [Self.missingRules] : []
        if path.expected == .reached, path.seen != .reached {
            if path.crosses { causes += forwarding(path.family) }
            if path.crosses || path.isInside && shown.contains(path.family) {
                causes += policies("forward", path.family, certainly: false)
            }
            if path.isInside, causes.isEmpty, shown.contains(path.family) {
                causes.append(netfilter(path.family))
            }
            if path.meetsHost {
                causes += policies("input", path.family, certainly: true)
                if path.from == .host { causes += policies("output", path.family, certainly: true) }
            }
            if !path.isInside, let guest { causes += otherRoute(guest) }
            if path.to == .dhcp { causes += dnsmasq() }
        } else if path.expected == .reached, causes.isEmpty {
            causes.append(Self.translated)
        }
        return causes.isEmpty ? [unknown(path)] : causes
    }

    /// What stands in the way whether somebody has noticed it or not.
    func standing() -> [NetworkCause] {
        let families = network.subnets.map(\.family)
        let hasHost = network.hostAccess || [.nat, .routed].contains(network.model)
        let input = hasHost ? families.flatMap { policies("input", $0, certainly: false) } : []
        let missing = areRulesIntact == false ? [Self.missingRules] : []
        let guest = network.subnet.map { $0.address(at: 2) }
        return missing + input + (guest.map(otherRoute) ?? []) + (hasHost ? dnsmasq() : [])
    }

    // MARK: One for each reason

    private static let missingRules = NetworkCause(
        code: "rules.missing",
        message: "the table of nftables that keeps what networks promise is not as vctld wrote it",
        hint: "systemctl restart vctld")

    private static let translated = NetworkCause(
        code: "source.changed", message: "somebody's rules give packets another source address, or do not",
        hint: "nft list ruleset | grep -E 'masquerade|snat'")

    private func unknown(_ path: NetworkPath) -> NetworkCause {
        let isLeak = path.expected == .unreached
        return NetworkCause(
            code: "unknown",
            message: isLeak
                ? "nothing keeps packets of \(network.name) from going there"
                : "forwarding, policies and filters of addresses are as they should be; some rule may name"
                    + " these packets",
            hint: "nft list ruleset")
    }

    private func forwarding(_ family: IPFamily) -> [NetworkCause] {
        guard family.isForwarded(files) == true else {
            return [
                NetworkCause(
                    code: "forwarding.off", message: "the host forwards no \(family.words)",
                    hint: "sysctl -w \(family.forwardingKey)=1")
            ]
        }
        let key = "net.\(family.rawValue).conf.\(bridge).forwarding"
        guard files.text("/proc/sys/net/\(family.rawValue)/conf/\(bridge)/forwarding") == "0" else {
            return []
        }
        return [
            NetworkCause(
                code: "forwarding.off",
                message: "the host forwards no \(family.words) that comes in by \(bridge)",
                hint: "sysctl -w \(key)=1")
        ]
    }

    /// The chains that drop what nobody has let through.
    /// - Parameter certainly: also those with some rule about the bridge, which may be about other packets.
    private func policies(_ hook: String, _ family: IPFamily, certainly: Bool) -> [NetworkCause] {
        rulesets.flatMap { rules in
            rules.hookChains.filter { chain in
                chain.hook == hook && chain.drops && chain.concerns(family)
                    && (certainly || !rules.knows(bridge, in: chain))
            }.map { chain in
                NetworkCause(
                    code: "\(hook).policy", message: rules.owner(of: chain) + " " + refusal(hook, family),
                    hint: rules.remedy(chain, [bridge]))
            }
        }
    }

    private func refusal(_ hook: String, _ family: IPFamily) -> String {
        switch hook {
        case "input":
            "lets the host take nothing that no rule allows: what guests on \(bridge) ask it is dropped"
        case "output": "lets the host send nothing that no rule allows"
        default:
            "lets the host forward nothing that no rule allows: what comes or goes by \(bridge) is dropped"
                + (shown.contains(family)
                    ? ", also what stays in that bridge, since br_netfilter shows it to the filters" : "")
        }
    }

    private func netfilter(_ family: IPFamily) -> NetworkCause {
        let key = "net.bridge.bridge-nf-call-\(family == .ipv4 ? "iptables" : "ip6tables")"
        return NetworkCause(
            code: "bridge.netfilter",
            message: "br_netfilter shows what stays in a bridge to the filters, and one of them drops it",
            hint: "sysctl -w \(key)=0")
    }

    /// Answers go by the route to the guest; and where Linux is told so, what comes in by another link than
    /// that is dropped.
    private func otherRoute(_ guest: IPAddress) -> [NetworkCause] {
        let ways = HostSubnets(files: files).routes().filter { $0.subnet.contains(guest) }
        guard let way = ways.max(by: { $0.subnet.prefix < $1.subnet.prefix }), way.link != bridge else {
            return []
        }
        let modes = ["all", bridge].compactMap {
            files.text("/proc/sys/net/ipv4/conf/\($0)/rp_filter").flatMap { Int($0) }
        }
        let isStrict = guest.family == .ipv4 && modes.max() == 1
        return [
            NetworkCause(
                code: "route.elsewhere",
                message: "the host's route to \(guest) is by \(way.link): answers go there"
                    + (isStrict ? ", and what comes by \(bridge) is dropped (rp_filter)" : ""),
                hint: "ip route del \(way.subnet) dev \(way.link)")
        ]
    }

    private func dnsmasq() -> [NetworkCause] {
        guard network.bridge != nil, network.model != .bridged, !network.dhcpRanges.isEmpty else { return [] }
        if DnsmasqFile(network.name, files: files).running != nil { return [] }
        let name = VctlAPI.shown(network.name)
        let hint =
            network.managed
            ? "vctl network stop \(name) --force && vctl network start \(name)"
            : "virsh net-destroy \(name) && virsh net-start \(name)"
        return [
            NetworkCause(
                code: "dhcp.gone",
                message: "the dnsmasq of network \(name) does not run: nobody gets an address",
                hint: hint)
        ]
    }
}

extension NetworkPath {
    /// Whether the host passes it on between links.
    var crosses: Bool { from == .outside || to == .outside }
    /// Whether it stays in the bridge.
    var isInside: Bool { from == .guest && to == .neighbour }
    var meetsHost: Bool { [from, to].contains(.host) || to == .dhcp }
}
