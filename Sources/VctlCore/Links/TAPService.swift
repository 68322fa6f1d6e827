// SPDX-License-Identifier: Apache-2.0
import GRDB
import HostNet
import VctlAPI

/// Making, looking at and deleting TAPs. Those of others are shown, and never changed.
public struct TAPService: Sendable {
    let environment: VMEnvironment
    let acceptance: Acceptance

    private var inventory: Inventory { environment.inventory }
    private var maker: TAPMaker { TAPMaker(environment) }

    /// A page of TAPs, by name.
    public func list(_ query: ListQuery) async throws -> Rendered {
        try await TAP.page(try await all(), query, inventory)
    }

    /// One TAP.
    /// - Throws: ``Problem`` `tap.notFound`.
    public func show(_ reference: Reference) async throws -> Rendered {
        let tap = try TAP.find(reference, among: try await all())
        guard let id = tap.id, let row = try await inventory.read({ try KeptTAP.find($0, .id(id)) }) else {
            return Rendered(json: try JSON.text(tap))
        }
        return Rendered(json: try JSON.text(tap), etag: row.etag)
    }

    private func all() async throws -> [TAP] {
        let (rows, vms) = try await inventory.read { (try KeptTAP.all($0), try VMCables.all($0)) }
        let links = try await maker.links.host.all()
        let names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
        var byMark = Dictionary(
            links.compactMap { link in link.alias.map { ($0, link) } },
            uniquingKeysWith: { first, _ in first })
        var taps = rows.map { TAP($0, byMark.removeValue(forKey: maker.links.mark($0.record.id))) }
        let ours = Set(taps.filter { $0.state == .present }.map(\.name))
        for link in links where link.kind == .tap && !ours.contains(link.name) {
            taps.append(TAP(link, try await maker.links.host.facts(ofTAP: link.name)))
        }
        let masters = Dictionary(links.map { ($0.name, $0.master) }) { first, _ in first }
        for index in taps.indices {
            let name = taps[index].name
            taps[index].vm = vms[name]
            if taps[index].state == .present {
                taps[index].bridge = masters[name].flatMap { $0 }.flatMap { names[$0] }
            }
        }
        return taps
    }

    /// Makes a TAP.
    /// - Throws: ``Problem`` `request.invalid`, `link.exists`, `bridge.notFound`, `idempotency.mismatch`.
    public func create(_ create: TAPCreate, _ context: RequestContext) async throws -> Accepted {
        if !context.dryRun, let earlier = try await acceptance.earlier(context) { return earlier }
        let tap = try KeptTAP(create)
        let links = try await maker.links.host.all()
        guard !links.contains(where: { $0.name == tap.name.rawValue }) else {
            throw LinkRules.taken(tap.name)
        }
        let bridge = try tap.bridge.map { try LinkRules.bridge($0, among: links) }
        if context.dryRun {
            let changes =
                ["make TAP \(tap.name)\(tap.owner.map { ", which \($0.name) may open" } ?? "")"]
                + (bridge.map { ["make it a port of bridge \($0.name)"] } ?? [])
            return .preview(Preview(action: context.action, target: tap.name.rawValue, changes: changes))
        }
        let new = try NewOperation(
            TAPCreateOperation.self, .init(tap: tap), resources: [tap.reference], claims: tap.claims,
            requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: tap.name.rawValue) { transaction in
            try transaction.insert(link: tap, operation: new.id)
        }
    }

    /// Deletes a TAP that vctl made.
    /// - Throws: ``Problem`` `tap.notFound`, `tap.foreign`, `tap.inUse`.
    public func delete(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if !context.dryRun, let earlier = try await acceptance.earlier(context) { return earlier }
        let shownTAP = try TAP.find(reference, among: try await all())
        guard let id = shownTAP.id, let row = try await inventory.read({ try KeptTAP.find($0, .id(id)) })
        else {
            throw Self.foreign(shownTAP)
        }
        let tap = row.record
        try Revision.check(context.ifMatch, row.etag, "TAP \(tap.name)")
        if !context.force { try await refuseUsed(tap, by: shownTAP.vm) }
        if context.dryRun {
            return .preview(
                Preview(
                    action: context.action, target: tap.name.rawValue, changes: ["delete TAP \(tap.name)"]))
        }
        let new = try NewOperation(
            TAPDeleteOperation.self, .init(tap: tap, force: context.force), resources: [tap.reference],
            claims: tap.claims, requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: tap.name.rawValue)
    }

    private func refuseUsed(_ tap: KeptTAP, by vm: String?) async throws {
        try await maker.refuseUsed(tap)
        guard let vm else { return }
        throw Problem(
            .tapInUse, "TAP \(tap.name) is a NIC of VM \(shown(vm))",
            hint: "vctl vm nic list \(shown(vm)); or vctl tap delete \(tap.name) --force")
    }

    private static func foreign(_ tap: TAP) -> Problem {
        if let vm = tap.vm {
            return Problem(
                .tapForeign, "TAP \(shown(tap.name)) belongs to VM \(shown(vm)), and goes when that stops",
                hint: "vctl vm nic list \(shown(vm))")
        }
        return Problem(
            .tapForeign, "TAP \(shown(tap.name)) was not made by this vctl",
            hint: "ip link delete \(shown(tap.name))")
    }
}

/// Which VM's NICs are at the other ends of links.
enum VMCables {
    /// The names of VMs by those of their TAPs.
    static func all(_ db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT vm.name AS vm, nic.value ->> '$.tap' AS tap
                    FROM vm, json_each(vm.document, '$.nics') AS nic
                    WHERE vm.state <> 'missing' AND nic.value ->> '$.tap' IS NOT NULL
                    """))
        return Dictionary(rows.map { ($0["tap"], $0["vm"]) }) { first, _ in first }
    }
}

extension TAP {
    /// One of ours, with its link where that is there.
    fileprivate init(_ row: LinkRow<KeptTAP>, _ link: Link?) {
        let record = row.record
        self.init(name: record.name.rawValue, state: link == nil ? .missing : .present)
        id = record.id
        managed = true
        owner = record.owner?.name
        bridge = record.bridge?.rawValue
        queues = record.queues
        labels = record.labels
        createdAt = record.createdAt
        operation = row.operation
        if let link { read(link) }
    }

    /// Somebody else's.
    fileprivate init(_ link: Link, _ facts: TAPFacts) {
        self.init(name: link.name, state: .present)
        owner = facts.owner.map { Account(uid: $0)?.name ?? "\($0)" }
        queues = facts.isMultiQueue ? nil : 1
        read(link)
    }

    private mutating func read(_ link: Link) {
        name = link.name
        (up, inUse, mac, mtu) = (link.isUp, link.hasCarrier, link.mac, link.mtu)
    }
}
