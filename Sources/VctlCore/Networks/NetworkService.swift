// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import VctlAPI

/// Everything that can be asked of networks. Reads come from the inventory and never wait for libvirt.
public struct NetworkService: Sendable {
    let environment: VMEnvironment
    let acceptance: Acceptance
    /// Who decides about a new one: two that look for a free subnet at once would find the same.
    let turns = Turns()

    var inventory: Inventory { environment.inventory }
    var effects: NetworkEffects { NetworkEffects(environment: environment) }

    /// A page of networks, by name.
    public func list(_ query: ListQuery) async throws -> Rendered {
        try await inventory.read { db in
            let page = try NetworkStore.page(db, query)
            let users = try NetworkStore.users(db)
            let texts = try page.rows.map { try Self.text($0, users) }
            return Rendered(json: try FieldFilter.array(texts, query.fields, db), next: page.next)
        }
    }

    /// One network.
    /// - Throws: ``Problem`` `network.notFound`.
    public func show(_ reference: Reference) async throws -> Rendered {
        try await inventory.read { db in
            let row = try NetworkStore.get(db, reference)
            let text = try Self.text(row, try NetworkStore.users(db))
            return Rendered(json: text, etag: row.etag, observedAt: row.observedAt)
        }
    }

    private static func text(_ row: NetworkRow, _ users: [String: [String]]) throws -> String {
        var network = try row.value()
        network.usedBy = users[network.name] ?? []
        return try JSON.text(network)
    }

    /// Accepts a new network.
    /// - Throws: ``Problem``: what is wrong with the request, or with the host for it.
    public func create(_ create: NetworkCreate, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try VMRules.refuse(NetworkRules.problems(create))
        _ = try environment.hypervisor.connection()
        return try await turns.alone(environment.state.instance) {
            try await environment.watcher.resyncNetworks()
            try await refuseTaken(create.name)
            let plan = try await NetworkPlanner(environment: environment).plan(create, caller: context.caller)
            let request = NetworkCreateOperation.Request(
                plan: plan, autostart: create.autostart ?? true, start: create.start ?? true)
            guard !context.dryRun else { return .preview(preview(request)) }
            let new = try NewOperation(
                NetworkCreateOperation.self, request, resources: [plan.reference],
                claims: Claim.whole(plan.id), requestor: context.caller.requestor)
            return try await acceptance.accept(new, context, target: plan.name) { transaction in
                try transaction.store(plan.reserved(at: .now, autostart: request.autostart))
            }
        }
    }

    private func refuseTaken(_ name: Name) async throws {
        guard try await inventory.read({ try NetworkStore.find($0, .name(name.rawValue)) }) != nil else {
            return
        }
        throw Problem(
            .networkExists, "there is a network \(name) already", hint: "vctl network show \(name)")
    }

    private func preview(_ request: NetworkCreateOperation.Request) -> Preview {
        let plan = request.plan
        let on = plan.model == .bridged ? "on bridge \(plan.bridge)" : "with a bridge \(plan.bridge)"
        let subnets = plan.subnets.map { "\($0)" }.joined(separator: " and ")
        let addresses = subnets.isEmpty ? "" : ", addresses \(subnets)"
        var changes = ["define network \"\(plan.name)\" \(on)\(addresses)"]
        if request.start { changes.append("start it") }
        return Preview(action: "network.create", target: plan.name, changes: changes)
    }

    // MARK: What all changes begin with

    /// The row as libvirt has the network now, provided that it is what the caller has seen.
    func current(_ reference: Reference, _ context: RequestContext) async throws -> (NetworkRow, Network) {
        let id = try await inventory.read { try NetworkStore.get($0, reference).id }
        _ = try environment.hypervisor.connection()
        do {
            try await environment.watcher.refreshNetwork(id)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        let row = try await inventory.read { try NetworkStore.get($0, reference) }
        try Revision.check(context.ifMatch, row.etag, "network \(row.name)")
        return (row, try row.value())
    }

    /// The same of a network that bears our mark.
    func managed(_ reference: Reference, _ context: RequestContext) async throws -> (NetworkRow, Network) {
        let (row, network) = try await current(reference, context)
        guard network.managed else {
            throw Problem(
                .networkForeign,
                "network \(shown(row.name)) was not made by this vctl, which does not change it",
                hint: "vctl network adopt \(shown(row.name))")
        }
        return (row, network)
    }

    func act<Kind: OperationKind>(
        _ kind: Kind.Type, _ request: Kind.Request, _ row: NetworkRow, _ context: RequestContext,
        _ changes: [String], diff: String? = nil
    ) async throws -> Accepted {
        guard !context.dryRun else {
            var preview = Preview(action: context.action, target: row.name, changes: changes)
            preview.xmlDiff = diff
            return .preview(preview)
        }
        let new = try NewOperation(
            kind, request, resources: [row.reference], claims: Claim.whole(row.id),
            requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: row.name)
    }
}
