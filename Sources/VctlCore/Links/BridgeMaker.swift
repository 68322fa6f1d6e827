// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet
import VctlAPI

/// A link before it became a port of ours, or was one no more.
struct PortBefore: Codable, Hashable, Sendable {
    var name: LinkName
    var isUp: Bool
    /// What its bridge knew of it.
    var settings: PortSettings?
}

/// Makes, changes and removes bridges.
struct BridgeMaker: Sendable {
    let links: MarkedLinks
    private var host: any HostLinks { links.host }

    init(_ environment: VMEnvironment) {
        links = MarkedLinks(host: environment.hostLinks, instance: environment.state.instance)
    }

    /// Makes of the bridge what is missing, and takes away what `old` had and it has not. What others added
    /// stays.
    /// - Throws: ``Problem`` `link.exists`, `link.notFound`, `link.inUse`; ``HostNetError``.
    func ensure(_ bridge: KeptBridge, insteadOf old: KeptBridge? = nil) async throws {
        let link = try await links.ensure(bridge.id, bridge.name) { name in
            let spec = BridgeSpec(name: name, mac: bridge.mac, stp: bridge.stp, vlanAware: bridge.vlanAware)
            do { try await host.make(spec) } catch let error as HostNetError
                where error.errno == EOPNOTSUPP && bridge.vlanAware
            {
                throw Self.noVLANs
            }
        }
        let facts = try await host.facts(ofBridge: link.name)
        guard facts.vlanAware || !bridge.vlanAware else { throw Self.noVLANs }
        if facts.stp != bridge.stp { try await host.setSTP(link.index, bridge.stp) }
        var change = LinkChange()
        change.isUp = true
        if link.mac != bridge.macText { change.mac = bridge.mac }
        if let mtu = bridge.mtu { change.mtu = mtu } else if old?.mtu != nil { change.mtu = 1500 }
        try await host.change(link.index, change)
        // What one of them lacks is no reason to leave the others.
        var failure: (any Error)?
        do { try await setAddresses(bridge, old, link) } catch { failure = error }
        try await setPorts(bridge, old, link)
        if let failure { throw failure }
    }

    /// Some kernels refuse such a bridge, and others make one that is none.
    private static var noVLANs: Problem {
        Problem(
            .linkFailed, "the host's kernel has no VLAN-aware bridges", hint: "make it without --vlan-aware")
    }

    private func setAddresses(_ bridge: KeptBridge, _ old: KeptBridge?, _ link: Link) async throws {
        let there = try await host.addresses().filter { $0.link == link.index }
        func isThere(_ address: LinkAddress) -> Bool {
            there.contains { $0.bytes == address.bytes && $0.length == address.length }
        }
        for address in old?.addresses ?? [] where !bridge.addresses.contains(address) && isThere(address) {
            try await host.remove(Address(address, link))
        }
        for address in bridge.addresses where !isThere(address) {
            try await host.add(Address(address, link))
        }
    }

    private func setPorts(_ bridge: KeptBridge, _ old: KeptBridge?, _ link: Link) async throws {
        let all = try await host.all()
        for port in old?.ports ?? [] where !bridge.ports.contains(port) {
            try await release(port, of: link, all)
        }
        var failure: (any Error)?
        for port in bridge.ports {
            do { try await add(port, to: link, of: bridge, all) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func add(
        _ port: LinkName, to link: Link, of bridge: KeptBridge, _ all: [Link]
    ) async throws {
        let found = try BridgeRules.port(port, of: bridge.name, all)
        guard found.master != link.index else { return }
        var change = LinkChange()
        (change.master, change.isUp) = (link.index, true)
        try await host.change(found.index, change)
    }

    private func release(_ port: LinkName, of bridge: Link, _ all: [Link]) async throws {
        guard let found = all.first(where: { $0.name == port.rawValue && $0.master == bridge.index }) else {
            return
        }
        var change = LinkChange()
        change.master = 0
        try await host.change(found.index, change)
    }

    /// Frees the links that it keeps as ports.
    func free(_ bridge: KeptBridge) async throws {
        guard let link = try await links.find(bridge.id) else { return }
        let all = try await host.all()
        for port in bridge.ports { try await release(port, of: link, all) }
    }

    /// All ports that it has, those of others, too.
    func ports(of bridge: KeptBridge) async throws -> [LinkName] {
        guard let link = try await links.find(bridge.id) else { return [] }
        return try await host.all().filter { $0.master == link.index }.compactMap { try? LinkName($0.name) }
    }

    /// Makes of the bridge what is missing, with what it had taken over from its uplink.
    /// - Throws: the first thing that cannot be made so, after all others were tried.
    func makeSo(_ bridge: KeptBridge) async throws {
        var failure: (any Error)?
        do { try await ensure(bridge) } catch { failure = error }
        try await takeOverAgain(bridge)
        if let failure { throw failure }
    }

    /// Makes what is there by now of what was missing, and touches nothing else.
    /// - Throws: the first thing that is still missing.
    func complete(_ bridge: KeptBridge, _ wait: BridgeWait) async throws {
        guard let link = try await links.find(bridge.id) else { return try await makeSo(bridge) }
        let all = try await host.all()
        var failure: (any Error)?
        for port in bridge.ports where wait.ports.contains(port.rawValue) {
            do { try await add(port, to: link, of: bridge, all) } catch { failure = failure ?? error }
        }
        if wait.movesLeft > 0 { try await takeOverAgain(bridge) }
        if let failure { throw failure }
    }

    /// What it waits for after a try that did not make it whole.
    /// - Returns: `nil` where the bridge itself is not there.
    func wait(of bridge: KeptBridge, after wait: BridgeWait?) async throws -> BridgeWait? {
        guard let link = try await links.find(bridge.id) else { return nil }
        let all = try await host.all()
        let missing = bridge.ports.map(\.rawValue).filter { name in
            !all.contains { $0.name == name && $0.master == link.index }
        }
        let ports = Set(missing).intersection(wait?.ports ?? Set(missing))
        guard let wait else { return BridgeWait(ports: ports, movesLeft: BridgeWait.moves) }
        let isAbsent = bridge.uplink.map { ports.contains($0.rawValue) } ?? false
        return BridgeWait(ports: ports, movesLeft: isAbsent ? wait.movesLeft : max(0, wait.movesLeft - 1))
    }

    /// Where the uplink is not there, what it had may be another card's by now.
    private func takeOverAgain(_ bridge: KeptBridge) async throws {
        guard let uplink = bridge.uplink, let carried = bridge.carried,
            let link = try await links.find(bridge.id), link.name == bridge.name.rawValue,
            try await host.all().contains(where: { $0.name == uplink.rawValue && $0.master == link.index })
        else { return }
        try await Blocking.run { [mark = links.mark(bridge.id)] in
            let (from, to) = (uplink.rawValue, bridge.name.rawValue)
            let now = try NetworkSnapshot(of: [from], alias: mark)
            if now.carriesSomething([from]) { try now.move(from: from, to: to) }
            try carried.move(from: from, to: to, lasting: true)
        }
    }

    /// Removes the bridge, and gives its ports back.
    func remove(_ bridge: KeptBridge, _ before: [PortBefore] = []) async throws {
        try await free(bridge)
        try await links.remove(bridge.id)
        try await restore(before)
    }

    /// How links are that are to become ports, or to be ports no more.
    func look(at ports: [LinkName]) async throws -> [PortBefore] {
        let (all, settings) = (try await host.all(), try await host.portSettings())
        return ports.compactMap { name in
            all.first { $0.name == name.rawValue }.map {
                PortBefore(name: name, isUp: $0.isUp, settings: settings[$0.index])
            }
        }
    }

    /// Switches off again what was off, and gives ports what they had.
    func restore(_ before: [PortBefore]) async throws {
        let all = try await host.all()
        for port in before {
            guard let link = all.first(where: { $0.name == port.name.rawValue }) else { continue }
            if let settings = port.settings, link.master != nil {
                try await host.apply(settings, to: link.index)
            }
            guard !port.isUp, link.master == nil else { continue }
            var change = LinkChange()
            change.isUp = false
            try await host.change(link.index, change)
        }
    }

    /// What stands on it would go with it, and nobody could bring that back.
    /// - Throws: ``Problem`` `bridge.inUse`.
    func refuseStacked(_ bridge: KeptBridge) async throws {
        guard let link = try await links.find(bridge.id) else { return }
        let names = try await host.all().filter { $0.lower == link.index }.map { shown($0.name) }
        guard !names.isEmpty else { return }
        throw Problem(
            .bridgeInUse,
            "links stand on bridge \(bridge.name), and would go with it for good: "
                + names.joined(separator: ", "),
            hint: names.map { "ip link delete \($0)" }.joined(separator: "; "))
    }

    /// Who would lose it: the ports that are not ours to give back.
    /// - Throws: ``Problem`` `bridge.inUse`.
    func refuseUsed(_ bridge: KeptBridge) async throws {
        guard let link = try await links.find(bridge.id) else { return }
        let ours = Set(bridge.ports.map(\.rawValue))
        let users = try await host.all().filter { $0.master == link.index && !ours.contains($0.name) }
        guard !users.isEmpty else { return }
        throw Problem(
            .bridgeInUse,
            "bridge \(bridge.name) has ports: \(users.map { shown($0.name) }.joined(separator: ", "))",
            hint: "vctl vm list; vctl tap list; or vctl bridge delete \(bridge.name) --force")
    }
}

extension Address {
    init(_ address: LinkAddress, _ link: Link) {
        self.init(link: link.index, bytes: address.bytes, length: address.length)
    }
}

/// The rules for bridges.
enum BridgeRules {
    /// A link that can become a port of a bridge, or is one already.
    /// - Throws: ``Problem`` `link.notFound`, `link.inUse`, `request.invalid`.
    static func port(_ name: LinkName, of bridge: LinkName, _ links: [Link]) throws -> Link {
        guard let link = links.first(where: { $0.name == name.rawValue }) else {
            throw Problem(.linkNotFound, "the host has no link \(name)", hint: "ip -brief link")
        }
        guard link.kind != .bridge, link.isEthernet else {
            let reason = link.kind == .bridge ? "is a bridge" : "carries no Ethernet"
            throw Problem(
                .requestInvalid, "\(name) cannot be a port of a bridge", hint: "ip -brief link",
                errors: [FieldProblem("ports", "\(name) \(reason)")])
        }
        guard let master = link.master, let other = links.first(where: { $0.index == master }),
            other.name != bridge.rawValue
        else { return link }
        throw Problem(
            .linkInUse, "\(name) is a port of \(shown(other.name)) already",
            hint: "ip link set \(name) nomaster")
    }

    /// The port that carries what the host is reached by, which the bridge has to take over.
    /// - Throws: ``Problem`` as ``port(_:of:_:)``; `link.inUse` where there are two of them, `link.managed`
    ///   where a program of the host would put the addresses back.
    static func uplink(
        among ports: [LinkName], of bridge: LinkName, _ sight: LinkSight, _ snapshot: NetworkSnapshot
    ) throws -> LinkName? {
        let links = try ports.map { try (name: $0, link: port($0, of: bridge, sight.links)) }
        let carrying = links.filter { snapshot.carriesSomething([$0.name.rawValue]) }
        for (name, link) in carrying {
            guard let manager = AddressManager(of: link, bridge: bridge, addresses: sight.addresses) else {
                continue
            }
            throw Problem(
                .linkManaged,
                "\(name) has its addresses from \(manager.name), which would not know of the bridge",
                hint: manager.hint)
        }
        guard carrying.isEmpty || !snapshot.hasNexthopObjects else {
            throw Problem(
                .linkInUse,
                "routes over \(carrying[0].name) are made of nexthop objects, which vctl does not move",
                hint: "ip nexthop; ip route")
        }
        guard carrying.count > 1 else { return carrying.first?.name }
        throw Problem(
            .linkInUse,
            "\(carrying.map { $0.name.rawValue }.joined(separator: " and ")) carry addresses of the host",
            hint: "a bridge takes over the addresses of one port: ip -brief address")
    }

    /// - Throws: ``Problem`` `link.inUse` where another link has one of the addresses.
    static func checkAddresses(
        _ bridge: KeptBridge, _ links: [Link], _ addresses: [Address]
    ) throws {
        let names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
        for address in bridge.addresses {
            let other = addresses.first { other in
                names[other.link] != bridge.name.rawValue
                    && IPNetwork(other.bytes, other.length).overlaps(IPNetwork(address.bytes, address.length))
            }
            guard let other else { continue }
            throw Problem(
                .linkInUse,
                "\(address) overlaps with \(other.text) of \(shown(names[other.link] ?? "a link"))",
                hint: "ip -brief address; choose another network")
        }
    }
}

/// The network that an address is of.
private struct IPNetwork {
    let bytes: [UInt8]
    let length: Int

    init(_ bytes: [UInt8], _ length: Int) {
        self.bytes = bytes
        self.length = length
    }

    func overlaps(_ other: IPNetwork) -> Bool {
        guard bytes.count == other.bytes.count else { return false }
        let common = min(length, other.length)
        return (0..<common).allSatisfy { bit in
            let mask: UInt8 = 0x80 >> UInt8(bit % 8)
            return bytes[bit / 8] & mask == other.bytes[bit / 8] & mask
        }
    }
}
