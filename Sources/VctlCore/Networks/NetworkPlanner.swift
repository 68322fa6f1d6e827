// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

/// Decides everything about a new network, and refuses what the host or another network has already.
struct NetworkPlanner: Sendable {
    let environment: VMEnvironment
    var files = HostFiles()

    /// - Throws: ``Problem`` `network.overlap`, `request.invalid`, `network.notFound`.
    func plan(_ create: NetworkCreate, caller: Caller) async throws -> NetworkPlan {
        var mark = Mark(instance: environment.state.instance, id: ObjectID())
        mark.labels = create.labels ?? [:]
        (mark.createdAt, mark.creator) = (.now, caller.user ?? "uid \(caller.uid)")
        mark.protected = create.protected ?? false
        mark.network = .init(model: create.model, hostAccess: NetworkRules.hasAddresses(create))
        var plan = NetworkPlan(
            name: create.name.rawValue, mark: mark, bridge: create.bridge ?? "vbr\(mark.id.short)")
        (plan.domain, plan.mtu, plan.vlan) = (create.domain, create.mtu, create.vlan)
        if create.model == .bridged { try await check(bridge: plan.bridge, vlan: create.vlan) }
        if NetworkRules.hasAddresses(create) {
            plan.subnets = try await subnets(create)
            plan.dhcpRanges = create.dhcpRanges ?? Self.usualRanges(plan.subnets)
            try VMRules.refuse(NetworkRules.rangeProblems(plan.dhcpRanges, plan.subnets))
            (plan.ntpServers, plan.routes) = (create.ntpServers, create.routes)
            try VMRules.refuse(
                NetworkRules.optionProblems(
                    create.ntpServers ?? [], create.routes ?? [],
                    plan.subnets.first { $0.family == .ipv4 }, isKnown: true))
        }
        return plan
    }

    /// Everything but the host's address and those that are no guest's; of IPv6 none, since guests choose
    /// their own.
    static func usualRanges(_ subnets: [Subnet]) -> [DHCPRange] {
        guard let subnet = subnets.first(where: { $0.family == .ipv4 }) else { return [] }
        let first = subnet.address(at: 2)
        let last = min(IPAddress(.ipv4, subnet.last.number - 1), first.advanced(by: 65_533))
        return DHCPRange(first, last).map { [$0] } ?? []
    }

    private func check(bridge: String, vlan: Int?) async throws {
        guard files.exists("/sys/class/net/\(bridge)/bridge") else {
            let bridges = files.names("/sys/class/net").filter { files.exists("/sys/class/net/\($0)/bridge") }
            let similar = Similar.words(to: bridge, among: bridges)
            let hint =
                similar.isEmpty
                ? "ip link show type bridge" : "did you mean \(similar.joined(separator: " or "))?"
            throw Problem(
                .requestInvalid, "bridge: the host has no bridge \(shown(bridge))", hint: hint,
                errors: [FieldProblem("bridge", "no such bridge")])
        }
        guard vlan != nil else { return }
        let version = try await environment.hypervisor.connection().libraryVersion()
        guard version < LibvirtVersion(11, 0) else { return }
        let problem = "libvirt \(version) gives guests no VLAN on a bridge of Linux; 11.0 does"
        throw Problem(
            .requestInvalid, "vlan: \(problem)", hint: "make a bridge on the VLAN's link, and use that",
            errors: [FieldProblem("vlan", problem)])
    }

    // MARK: Subnets

    /// A subnet that is taken, and by what.
    private struct Taken {
        let subnet: Subnet
        let what: String
    }

    private func subnets(_ create: NetworkCreate) async throws -> [Subnet] {
        let taken = try await taken()
        let choices = [(create.subnet ?? .auto, IPFamily.ipv4), (create.subnet6 ?? .none, .ipv6)]
        return try choices.compactMap { choice, family in
            switch choice {
            case .none: return nil
            case .auto: return try free(family, taken)
            case .subnet(let subnet):
                guard let other = taken.first(where: { $0.subnet.overlaps(subnet) }) else { return subnet }
                let option = family == .ipv4 ? "--subnet" : "--subnet6"
                throw Problem(
                    .networkOverlap, "\(subnet) overlaps with \(other.subnet) of \(other.what)",
                    hint: "\(option) auto finds a free one")
            }
        }
    }

    private func taken() async throws -> [Taken] {
        let networks = try await environment.inventory.read {
            try NetworkStore.all($0).map { try $0.value() }
        }
        let bridges = Set(networks.filter { !$0.subnets.isEmpty }.compactMap(\.bridge))
        let ofNetworks = networks.flatMap { network in
            network.subnets.map { Taken(subnet: $0, what: "network \(shown(network.name))") }
        }
        // A network's own route says nothing new.
        let routes = HostSubnets(files: files).routes().filter { !bridges.contains($0.link) }
        return ofNetworks + routes.map { Taken(subnet: $0.subnet, what: "the host's route by \($0.link)") }
    }

    private func free(_ family: IPFamily, _ taken: [Taken]) throws -> Subnet {
        for candidate in Self.candidates(family, environment.state.instance)
        where !taken.contains(where: { $0.subnet.overlaps(candidate) }) {
            return candidate
        }
        throw Problem(
            .networkOverlap, "no \(family.rawValue) subnet is free of those that are tried",
            hint: "name one with \(family == .ipv4 ? "--subnet" : "--subnet6")")
    }

    /// Private addresses: of IPv4 those that home routers and other tools seldom use, of IPv6 those that this
    /// instance alone has (RFC 4193).
    static func candidates(_ family: IPFamily, _ instance: ObjectID) -> [Subnet] {
        guard family == .ipv4 else {
            let digits = instance.rawValue.filter { $0 != "-" }.prefix(10)
            let site = (UInt128(0xFD) << 40 | (UInt128(digits, radix: 16) ?? 0)) << 80
            return (1...4096).map { Subnet(of: IPAddress(.ipv6, site | UInt128($0) << 64), prefix: 64) }
        }
        let home = (130...250).map { UInt128(0xC0A8_0000) | UInt128($0) << 8 }
        let large = (200...239).flatMap { second in
            (0...255).map { UInt128(0x0A00_0000) | UInt128(second) << 16 | UInt128($0) << 8 }
        }
        return (home + large).map { Subnet(of: IPAddress(.ipv4, $0), prefix: 24) }
    }
}
