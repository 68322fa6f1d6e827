// SPDX-License-Identifier: Apache-2.0
import GRDB
import HostNet
import VctlAPI

/// Making, looking at, changing and deleting bridges. Those of others are shown, and never changed.
public struct BridgeService: Sendable {
    let environment: VMEnvironment
    let acceptance: Acceptance

    private var inventory: Inventory { environment.inventory }
    private var maker: BridgeMaker { BridgeMaker(environment) }
    private var host: any HostLinks { environment.hostLinks }

    /// A page of bridges, by name.
    public func list(_ query: ListQuery) async throws -> Rendered {
        try await Bridge.page(try await all(), query, inventory)
    }

    /// One bridge.
    /// - Throws: ``Problem`` `bridge.notFound`.
    public func show(_ reference: Reference) async throws -> Rendered {
        let bridge = try Bridge.find(reference, among: try await all())
        let id = bridge.id
        let row = try await inventory.read { db in try id.flatMap { try KeptBridge.find(db, .id($0)) } }
        return Rendered(json: try JSON.text(bridge), etag: row?.etag)
    }

    func all() async throws -> [Bridge] {
        let (rows, networks) = try await inventory.read { db in
            (try KeptBridge.all(db), try NetworkStore.bridges(db))
        }
        let sight = LinkSight(try await host.all(), try await host.addresses(), networks)
        var bridges: [Bridge] = []
        var ours: Set<Int> = []
        for row in rows {
            let link = sight.links.first { $0.alias == maker.links.mark(row.record.id) }
            if let link { ours.insert(link.index) }
            bridges.append(Bridge(row, link, sight))
        }
        for link in sight.links where link.kind == .bridge && !ours.contains(link.index) {
            var bridge = Bridge(name: link.name, state: .present)
            bridge.read(link, sight)
            let facts = try await host.facts(ofBridge: link.name)
            (bridge.stp, bridge.vlanAware) = (facts.stp, facts.vlanAware)
            bridges.append(bridge)
        }
        return bridges
    }

    /// Makes a bridge.
    /// - Throws: ``Problem`` `request.invalid`, `link.exists`, `link.notFound`, `link.inUse`, `link.managed`.
    public func create(_ create: BridgeCreate, _ context: RequestContext) async throws -> Accepted {
        if !context.dryRun, let earlier = try await acceptance.earlier(context) { return earlier }
        var bridge = try KeptBridge(create)
        let sight = try await sight()
        guard !sight.links.contains(where: { $0.name == bridge.name.rawValue }) else {
            throw LinkRules.taken(bridge.name)
        }
        try BridgeRules.checkAddresses(bridge, sight.links, sight.addresses)
        try await refuseWireless(bridge.ports)
        try await takeUplink(&bridge, bridge.ports, sight)
        let risk = try await risk(from: nil, to: bridge, sight, create.confirmTimeoutSeconds, context)
        if context.dryRun {
            let changes =
                ["make bridge \(bridge.name)"] + bridge.addresses.map { "give it the address \($0)" }
                + bridge.ports.map { "make \($0) a port of it" }
            return preview(bridge, changes + risk.changes(bridge), risk, context)
        }
        let made = bridge
        let new = try NewOperation(
            BridgeCreateOperation.self, .init(bridge: made, risk: risk), resources: [made.reference],
            claims: made.claims, requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: made.name.rawValue) { transaction in
            try transaction.insert(link: made, operation: new.id)
        }
    }

    /// Wi-Fi lets no other addresses through than the card's own.
    private func refuseWireless(_ ports: [LinkName]) async throws {
        for port in ports where try await host.isWireless(port.rawValue) {
            throw Problem(
                .requestInvalid, "\(port) is wireless, and carries no frames of others",
                hint: "vctl network create lab --model nat",
                errors: [FieldProblem("ports", "\(port) is wireless")])
        }
    }

    private func sight() async throws -> LinkSight {
        LinkSight(try await host.all(), try await host.addresses(), [:])
    }

    /// Notes what the bridge takes over from the ports that it gets.
    private func takeUplink(
        _ bridge: inout KeptBridge, _ added: [LinkName], _ sight: LinkSight
    ) async throws {
        guard !added.isEmpty else { return }
        let (names, mark) = (added.map(\.rawValue), maker.links.mark(bridge.id))
        let snapshot = try await host.snapshot(of: names, alias: mark)
        guard let uplink = try BridgeRules.uplink(among: added, of: bridge.name, sight, snapshot) else {
            return
        }
        if let taken = bridge.uplink {
            throw Problem(
                .linkInUse, "bridge \(bridge.name) has taken over the addresses of \(taken) already",
                hint: "a bridge takes over the addresses of one port: ip -brief address")
        }
        bridge.uplink = uplink
        bridge.carried = try await host.snapshot(of: [uplink.rawValue], alias: mark).kept()
        if let mac = sight.links.first(where: { $0.name == uplink.rawValue })?.mac {
            bridge.mac = mac.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        }
    }

    private func preview(
        _ bridge: KeptBridge, _ changes: [String], _ risk: BridgeRisk?, _ context: RequestContext
    ) -> Accepted {
        .preview(
            Preview(
                action: context.action, target: bridge.name.rawValue, changes: changes,
                warnings: risk?.warnings ?? []))
    }

    /// Changes a bridge that vctl made.
    /// - Throws: ``Problem`` `bridge.notFound`, `bridge.foreign`, `bridge.state`, `request.invalid`,
    ///   `link.notFound`, `link.inUse`, `link.managed`, `revision.stale`.
    public func set(
        _ reference: Reference, _ patch: BridgePatch, _ context: RequestContext
    ) async throws -> Accepted {
        if !context.dryRun, let earlier = try await acceptance.earlier(context) { return earlier }
        let row = try await own(reference, context)
        let old = row.record
        var new = try old.patched(patch)
        let sight = try await sight()
        try BridgeRules.checkAddresses(new, sight.links, sight.addresses)
        let added = new.ports.filter { !old.ports.contains($0) }
        try await refuseWireless(added)
        try await takeUplink(&new, added, sight)
        if let uplink = old.uplink, !new.ports.contains(uplink) { (new.uplink, new.carried) = (nil, nil) }
        let risk = try await risk(from: old, to: new, sight, patch.confirmTimeoutSeconds, context)
        if context.dryRun { return preview(old, old.changes(to: new) + risk.changes(new), risk, context) }
        let changed = new
        let operation = try NewOperation(
            BridgeSetOperation.self, .init(old: old, new: changed, risk: risk), resources: [old.reference],
            claims: old.claims(with: changed.ports), requestor: context.caller.requestor)
        return try await acceptance.accept(operation, context, target: old.name.rawValue) { transaction in
            try Self.checkUnchanged(row, transaction)
        }
    }

    /// Deletes a bridge that vctl made; the links that it kept as ports are free again, and the one whose
    /// addresses it took over gets them back.
    /// - Throws: ``Problem`` `bridge.notFound`, `bridge.foreign`, `bridge.inUse`, `bridge.state`,
    ///   `revision.stale`.
    public func delete(
        _ reference: Reference, seconds: Int? = nil, _ context: RequestContext
    ) async throws -> Accepted {
        if !context.dryRun, let earlier = try await acceptance.earlier(context) { return earlier }
        let row = try await own(reference, context)
        let bridge = row.record
        try await maker.refuseStacked(bridge)
        if !context.force {
            try await maker.refuseUsed(bridge)
            try await refuseNetworks(bridge)
        }
        let risk = try await risk(from: bridge, to: nil, try await sight(), seconds, context)
        if context.dryRun {
            let changes = ["delete bridge \(bridge.name)"] + bridge.ports.map { "free \($0)" }
            return preview(bridge, changes + risk.changes(nil), risk, context)
        }
        let new = try NewOperation(
            BridgeDeleteOperation.self, .init(bridge: bridge, force: context.force, risk: risk),
            resources: [bridge.reference], claims: bridge.claims, requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: bridge.name.rawValue) { transaction in
            try Self.checkUnchanged(row, transaction)
        }
    }

    /// A network that is on it would not start again.
    private func refuseNetworks(_ bridge: KeptBridge) async throws {
        let networks = try await inventory.read { try NetworkStore.bridges($0) }
        guard let network = networks[bridge.name.rawValue]?.name else { return }
        throw Problem(
            .bridgeInUse, "network \(shown(network)) is on bridge \(bridge.name)",
            hint: "vctl network delete \(shown(network)), or vctl bridge delete \(bridge.name) --force")
    }

    /// What was decided on has to be what is there, where nobody can come between.
    private static func checkUnchanged(_ row: LinkRow<KeptBridge>, _ transaction: Transaction) throws {
        let name = row.record.name
        guard try KeptBridge.find(transaction.db, .id(row.record.id))?.revision == row.revision else {
            throw Problem(
                .revisionStale, "bridge \(name) was changed at the same moment",
                hint: "vctl bridge show \(name)")
        }
    }

    private func own(_ reference: Reference, _ context: RequestContext) async throws -> LinkRow<KeptBridge> {
        let bridge = try Bridge.find(reference, among: try await all())
        guard let id = bridge.id, let row = try await inventory.read({ try KeptBridge.find($0, .id(id)) })
        else { throw Self.foreign(bridge) }
        try Revision.check(context.ifMatch, row.etag, "bridge \(bridge.name)")
        guard row.record.pending == nil else {
            throw Problem(
                .bridgeState, "the last change of bridge \(bridge.name) waits to be confirmed",
                hint: "vctl bridge confirm \(bridge.name); or vctl bridge rollback \(bridge.name)")
        }
        return row
    }

    private static func foreign(_ bridge: Bridge) -> Problem {
        let name = shown(bridge.name)
        let (owner, hint) =
            switch bridge.origin {
            case .libvirt: ("libvirt's network \(shown(bridge.network ?? "?"))", "virsh net-list --all")
            case .docker: ("Docker", "docker network ls")
            case .vctl, .other: ("somebody else", "ip -d link show \(name)")
            }
        return Problem(
            .bridgeForeign, "bridge \(name) belongs to \(owner), and vctl does not change it", hint: hint)
    }
}

/// The host's links as one look shows them.
struct LinkSight {
    let links: [Link]
    let addresses: [Address]
    /// libvirt's networks by the names of their bridges.
    let networks: [String: Network]

    init(_ links: [Link], _ addresses: [Address], _ networks: [String: Network]) {
        self.links = links
        self.addresses = addresses
        self.networks = networks
    }

    /// The links of these names, and all that stand on them.
    func tower(on names: [String]) -> [Link] {
        var found = links.filter { names.contains($0.name) }
        var next = 0
        while next < found.count {
            let lower = found[next].index
            found += links.filter { link in link.lower == lower && !found.contains { $0.index == link.index }
            }
            next += 1
        }
        return found
    }
}

extension Bridge {
    /// One of ours, with its link where that is there.
    fileprivate init(_ row: LinkRow<KeptBridge>, _ link: Link?, _ sight: LinkSight) {
        let record = row.record
        self.init(name: record.name.rawValue, state: link == nil ? .missing : .present)
        id = record.id
        (addresses, ports) = (record.addresses.map(\.description), record.ports.map(\.rawValue))
        (mtu, stp, vlanAware) = (record.mtu, record.stp, record.vlanAware)
        if let link { read(link, sight) }
        managed = true
        (origin, network) = (.vctl, sight.networks[name]?.name)
        labels = record.labels
        createdAt = record.createdAt
        confirmBy = record.pending?.confirmBy
        operation = row.operation
        problems = row.lacks(link, sight)
    }

    fileprivate mutating func read(_ link: Link, _ sight: LinkSight) {
        name = link.name
        let network = sight.networks[link.name]
        self.network = network?.name
        // Of a bridged network the bridge was there before.
        let isLibvirts = network != nil && network?.mode != "bridge"
        origin = isLibvirts ? .libvirt : Self.isDockers(link.name) ? .docker : .other
        addresses = sight.addresses.filter { $0.link == link.index && !$0.isLinkLocal }.map(\.text)
        ports = sight.links.filter { $0.master == link.index }.map(\.name).sorted()
        (up, mac, mtu) = (link.isUp, link.mac, link.mtu)
    }

    /// Docker names its bridges by its networks' ids.
    private static func isDockers(_ name: String) -> Bool {
        name == "docker0" || name == "docker_gwbridge"
            || name.hasPrefix("br-") && name.count == 15 && name.dropFirst(3).allSatisfy(\.isHexDigit)
    }
}

extension KeptBridge {
    /// What a change does, a sentence each.
    fileprivate func changes(to new: KeptBridge) -> [String] {
        var changes: [String] = []
        for address in addresses where !new.addresses.contains(address) {
            changes.append("take the address \(address) away")
        }
        for address in new.addresses where !addresses.contains(address) {
            changes.append("give it the address \(address)")
        }
        for port in ports where !new.ports.contains(port) { changes.append("free \(port)") }
        for port in new.ports where !ports.contains(port) { changes.append("make \(port) a port of it") }
        if mtu != new.mtu { changes.append("set its MTU to \(new.mtu ?? 1500)") }
        if stp != new.stp { changes.append("switch the spanning tree protocol \(new.stp ? "on" : "off")") }
        if labels != new.labels { changes.append("change its labels") }
        return changes
    }
}
