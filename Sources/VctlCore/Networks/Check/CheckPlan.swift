// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What a network's check sends where, in one family of addresses. Pure: made of what is known beforehand.
struct CheckFamily: Sendable {
    /// What holds for the packets of a family.
    enum Rule: Hashable, Sendable {
        /// Guests reach each other alone; the host is not there.
        case closed
        /// Guests and the host, and nobody else.
        case held
        case routed, nat
        /// Nothing is promised but that guests are peers.
        case peers
        /// The network has no addresses of this family: guests among themselves, and out of there nobody.
        case mute
    }

    let family: IPFamily
    let rule: Rule
    /// The guests' addresses: the network's, or some that nobody has.
    let subnet: Subnet
    /// Whether they are the network's.
    let isOwn: Bool
    /// The host's address in it.
    let gateway: IPAddress?
    /// The addresses of the outside: its own is the second, the host's there the first.
    let outside: Subnet
    /// Those of the guests, unless DHCP offers others.
    var guests: [IPAddress]
    /// Whether the network's DHCP server is asked.
    let asksDHCP: Bool

    /// The host's address that guests may try for.
    var host: IPAddress { gateway ?? hostOutside }
    var hostOutside: IPAddress { outside.address(at: 1) }
    var outsider: IPAddress { outside.address(at: 2) }

    /// All ways of this family, with what is promised of them.
    func paths() -> [NetworkPath] {
        var paths = [path(.guest, .neighbour, .reached, guests.first)]
        switch rule {
        case .closed:
            paths += toHost(.unreached) + beyond(.unreached, nil, .unreached)
        case .held:
            paths += toHost(.reached) + beyond(.unreached, nil, .unreached)
        case .routed:
            paths += toHost(.reached) + beyond(.reached, guests.first, .reached)
        case .nat:
            paths += toHost(.reached) + beyond(.reached, hostOutside, .unreached)
        case .mute:
            paths += beyond(.unreached, nil, .unreached)
        case .peers: break
        }
        if asksDHCP { paths.append(path(.guest, .dhcp, rule == .peers ? nil : .reached, nil)) }
        return paths
    }

    private func toHost(_ reach: NetworkReach) -> [NetworkPath] {
        [path(.guest, .host, reach, nil), path(.host, .guest, reach, gateway)]
    }

    private func beyond(_ out: NetworkReach, _ source: IPAddress?, _ back: NetworkReach) -> [NetworkPath] {
        [path(.guest, .outside, out, source), path(.outside, .guest, back, outsider)]
    }

    private func path(_ from: NetworkEnd, _ to: NetworkEnd, _ reach: NetworkReach?, _ source: IPAddress?)
        -> NetworkPath
    {
        var path = NetworkPath(from: from, to: to, family: family)
        path.expected = reach
        path.expectedSource = reach == .reached ? source : nil
        return path
    }
}

/// What a network's check does.
struct CheckPlan: Sendable {
    let bridge: String
    /// What the probes' cables are called, with a digit behind it, and what stands in their alias.
    let cable: String
    let alias: String
    let families: [CheckFamily]
}

/// Makes the plan of a network's check.
struct CheckPlanner: Sendable {
    let network: Network
    let files: HostFiles
    /// Addresses that somebody has or may get.
    let taken: Set<IPAddress>
    /// Whether libvirt translates the network's IPv6, which it does not with a `nat` that says nothing.
    let isIPv6Translated: Bool

    func families() -> [CheckFamily] { IPFamily.allCases.compactMap(plan) }

    private func plan(_ family: IPFamily) -> CheckFamily? {
        let own = network.subnets.first { $0.family == family }
        let free = Self.spare(family).filter { candidate in
            !(HostSubnets(files: files).routes().map(\.subnet) + network.subnets).contains {
                $0.overlaps(candidate)
            }
        }
        guard free.count > 1 else { return nil }
        let subnet = own ?? free[1]
        let gateway = own.flatMap { own in network.hostAddresses.first { own.contains($0) } }
        let hasDHCP = network.dhcpRanges.contains { $0.family == .ipv4 } || network.model == .bridged
        return CheckFamily(
            family: family, rule: rule(family, hasSubnet: own != nil), subnet: subnet, isOwn: own != nil,
            gateway: gateway, outside: free[0],
            guests: own == nil ? [subnet.address(at: 11), subnet.address(at: 12)] : addresses(subnet),
            asksDHCP: family == .ipv4 && hasDHCP)
    }

    /// Those that are for examples and tests (RFC 5737, RFC 2544, RFC 3849).
    private static func spare(_ family: IPFamily) -> [Subnet] {
        let texts =
            family == .ipv4
            ? ["198.51.100.0/24", "192.0.2.0/24", "203.0.113.0/24", "198.18.0.0/24", "198.19.0.0/24"]
            : ["2001:db8:76:1::/64", "2001:db8:76:2::/64", "2001:db8:77:1::/64", "2001:db8:77:2::/64"]
        return texts.compactMap { try? Subnet(checking: $0) }
    }

    private func rule(_ family: IPFamily, hasSubnet: Bool) -> CheckFamily.Rule {
        switch network.model {
        case .isolated where !network.hostAccess && network.managed: .closed
        case .isolated: hasSubnet ? .held : .mute
        case .nat where hasSubnet:
            family == .ipv4 || network.mode == "open" || isIPv6Translated ? .nat : .routed
        case .nat: network.managed ? .mute : .peers
        case .routed: hasSubnet ? .routed : .peers
        case .bridged, nil: .peers
        }
    }

    /// Two at the upper end, where the fewest are in use.
    private func addresses(_ subnet: Subnet) -> [IPAddress] {
        let room = subnet.last.number - subnet.address.number
        let end = subnet.family == .ipv4 ? subnet.last.number - 1 : subnet.last.number - 0x7600
        let places = (0..<min(room, 4096)).lazy.map { IPAddress(subnet.family, end - $0) }
        let ranges = network.dhcpRanges.filter { $0.family == subnet.family }
        func isFree(_ address: IPAddress) -> Bool {
            subnet.contains(address) && address != subnet.address && !taken.contains(address)
                && !network.hostAddresses.contains(address)
        }
        let outside = places.filter { address in
            isFree(address) && !ranges.contains { $0.contains(address) }
        }.prefix(2)
        return outside.count == 2 ? Array(outside) : Array(places.filter(isFree).prefix(2))
    }
}
