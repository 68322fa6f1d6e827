// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What must hold for a request about a network by itself.
enum NetworkRules {
    static func problems(_ request: NetworkCreate) -> [FieldProblem] {
        modelProblems(request) + bridgeProblems(request) + subnetProblems(request)
            + rangeProblems(request.dhcpRanges ?? [], given(request))
            + domainProblems(request.domain) + mtuProblems(request.mtu, hasIPv6: hasIPv6(request.subnet6))
            + LabelRules.problems(request.labels ?? [:])
    }

    /// Whether guests and the host share addresses.
    static func hasAddresses(_ request: NetworkCreate) -> Bool {
        switch request.model {
        case .isolated: request.hostAccess ?? false
        case .routed, .nat: true
        case .bridged: false
        }
    }

    private static func modelProblems(_ request: NetworkCreate) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        if request.model != .isolated, request.hostAccess != nil {
            problems.append(FieldProblem("hostAccess", "this goes with the model isolated alone"))
        }
        guard !hasAddresses(request) else {
            let none = SubnetChoice.none
            let both = (request.subnet ?? .auto) == none && (request.subnet6 ?? none) == none
            return problems
                + (both ? [FieldProblem("subnet", "this model needs one, of IPv4 or IPv6")] : [])
        }
        let why =
            request.model == .bridged
            ? "the LAN behind the bridge has addresses of its own"
            : "the host is not in an isolated network without hostAccess"
        let said: [(String, Bool)] = [
            ("subnet", (request.subnet ?? SubnetChoice.none) != SubnetChoice.none),
            ("subnet6", (request.subnet6 ?? SubnetChoice.none) != SubnetChoice.none),
            ("dhcpRanges", !(request.dhcpRanges ?? []).isEmpty),
            ("ntpServers", !(request.ntpServers ?? []).isEmpty), ("routes", !(request.routes ?? []).isEmpty),
            ("domain", request.domain != nil),
        ]
        return problems + said.filter(\.1).map { FieldProblem($0.0, why) }
    }

    private static func bridgeProblems(_ request: NetworkCreate) -> [FieldProblem] {
        guard request.model == .bridged else {
            let said = [("bridge", request.bridge != nil), ("vlan", request.vlan != nil)]
            return said.filter(\.1).map { FieldProblem($0.0, "this goes with the model bridged alone") }
        }
        var problems: [FieldProblem] = []
        if let bridge = request.bridge {
            if !isLinkName(bridge) {
                problems.append(
                    FieldProblem(
                        "bridge", "a link's name has 1 to \(Limits.linkName) characters, no blank and no '/'")
                )
            }
        } else {
            problems.append(FieldProblem("bridge", "say which of the host's bridges guests are to be on"))
        }
        if let vlan = request.vlan, !Limits.vlan.contains(vlan) {
            problems.append(
                FieldProblem("vlan", "from \(Limits.vlan.lowerBound) to \(Limits.vlan.upperBound)"))
        }
        if request.mtu != nil {
            problems.append(FieldProblem("mtu", "the bridge has an MTU of its own"))
        }
        return problems
    }

    /// Whether the kernel would take it, and nothing that reads rules could take it for more than a name.
    static func isLinkName(_ name: String) -> Bool {
        (1...Limits.linkName).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x2E || byte == 0x2D || byte == 0x5F
            }
    }

    private static func given(_ request: NetworkCreate) -> [Subnet]? {
        let choices = [request.subnet ?? .auto, request.subnet6 ?? SubnetChoice.none]
        if choices.contains(.auto) { return nil }
        return choices.compactMap { if case .subnet(let subnet) = $0 { subnet } else { nil } }
    }

    private static func subnetProblems(_ request: NetworkCreate) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        if case .subnet(let subnet)? = request.subnet {
            problems += problem(subnet, .ipv4, 8...30).map { [FieldProblem("subnet", $0)] } ?? []
        }
        if case .subnet(let subnet)? = request.subnet6 {
            let hasRange = (request.dhcpRanges ?? []).contains { $0.family == .ipv6 }
            problems += problem(subnet, .ipv6, 8...126).map { [FieldProblem("subnet6", $0)] } ?? []
            if problems.isEmpty, subnet.prefix != 64, !hasRange {
                problems.append(
                    FieldProblem(
                        "subnet6", "guests choose their own addresses only in a /64; give another a range"))
            }
        }
        return problems
    }

    private static func problem(_ subnet: Subnet, _ family: IPFamily, _ prefixes: ClosedRange<Int>) -> String?
    {
        guard subnet.family == family else { return "this is the place of \(family.rawValue)" }
        guard prefixes.contains(subnet.prefix) else {
            return "from /\(prefixes.lowerBound) to /\(prefixes.upperBound)"
        }
        guard !reserved.contains(where: { $0.overlaps(subnet) }) else {
            return "these addresses are for no network (loopback, link-local, multicast)"
        }
        return nil
    }

    private static let reserved = [
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/8", "fe80::/10", "ff00::/8",
    ].compactMap { try? Subnet(checking: $0) }

    /// - Parameter subnets: `nil`: they are still to be found.
    static func rangeProblems(_ ranges: [DHCPRange], _ subnets: [Subnet]?) -> [FieldProblem] {
        guard !ranges.isEmpty else { return [] }
        guard let subnets else {
            return [FieldProblem("dhcpRanges", "with a subnet that is still to be found nobody knows them")]
        }
        return ranges.enumerated().compactMap { index, range in
            let field = "dhcpRanges[\(index)]"
            if ranges[..<index].contains(where: { $0.family == range.family }) {
                return FieldProblem(field, "one of each family")
            }
            guard let subnet = subnets.first(where: { $0.family == range.family }) else {
                return FieldProblem(field, "the network has no \(range.family.rawValue) subnet")
            }
            return problem(range, subnet).map { FieldProblem(field, $0) }
        }
    }

    private static func problem(_ range: DHCPRange, _ subnet: Subnet) -> String? {
        guard subnet.contains(range.first), subnet.contains(range.last) else {
            return "it is not inside of \(subnet)"
        }
        let host = NetworkPlan.hostAddress(subnet)
        guard range.first > host else {
            return "\(subnet.address) and \(host) are the network's and the host's"
        }
        guard subnet.family == .ipv6 || range.last < subnet.last else {
            return "\(subnet.last) is the address for all of the network"
        }
        // libvirt takes no more.
        guard range.last.number - range.first.number < 65_535 else { return "at most 65535 addresses" }
        return nil
    }

    static func domainProblems(_ domain: String?) -> [FieldProblem] {
        guard let domain else { return [] }
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        let isDomain =
            domain.utf8.count <= Limits.domain
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D
                    }
            }
        return isDomain
            ? [] : [FieldProblem("domain", "letters, digits and '-' between dots, like lab.example")]
    }

    static func mtuProblems(_ mtu: Int?, hasIPv6: Bool) -> [FieldProblem] {
        guard let mtu else { return [] }
        guard Limits.mtu.contains(mtu) else {
            return [FieldProblem("mtu", "from \(Limits.mtu.lowerBound) to \(Limits.mtu.upperBound)")]
        }
        return hasIPv6 && mtu < 1280 ? [FieldProblem("mtu", "IPv6 needs 1280 or more")] : []
    }

    private static func hasIPv6(_ choice: SubnetChoice?) -> Bool { (choice ?? .none) != SubnetChoice.none }

    static func problems(_ patch: NetworkPatch, of network: Network) -> [FieldProblem] {
        var problems = LabelRules.problems(patch: patch.labels ?? [:])
        let text = patch.domain?.text ?? ""
        if !text.isEmpty { problems += domainProblems(text) }
        if let mtu = patch.mtu?.value {
            problems += mtuProblems(mtu, hasIPv6: network.subnet6 != nil)
        }
        if network.model == .bridged {
            let said = [
                ("mtu", patch.mtu?.value != nil), ("domain", !text.isEmpty),
                ("ntpServers", !(patch.ntpServers ?? []).isEmpty), ("routes", !(patch.routes ?? []).isEmpty),
            ]
            problems += said.filter(\.1).map { FieldProblem($0.0, "the LAN behind the bridge has its own") }
        }
        problems += optionProblems(
            patch.ntpServers ?? [], patch.routes ?? [], network.subnet, isKnown: network.model != .bridged)
        return problems + rangeProblems(patch.dhcpRanges ?? [], network.subnets)
    }
}
