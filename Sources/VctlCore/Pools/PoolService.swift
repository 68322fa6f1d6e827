// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import VctlAPI

/// Everything that can be asked of pools. Reads come from the inventory and never wait for libvirt.
public struct PoolService: Sendable {
    let environment: VMEnvironment
    let acceptance: Acceptance
    /// Who decides about a new one: two that come at once could choose the same directory.
    private let turns = Turns()

    var inventory: Inventory { environment.inventory }
    var effects: PoolEffects { PoolEffects(environment: environment) }
    var users: VolumeUsers { VolumeUsers(environment: environment) }

    /// A page of pools, by name.
    public func list(_ query: ListQuery) async throws -> Rendered {
        let isConnected = environment.hypervisor.isConnected
        return try await inventory.read { db in
            let page = try PoolStore.page(db, query)
            let uses = try PoolUse.all(db)
            let texts = try page.rows.map { try Self.text($0, uses, isConnected) }
            return Rendered(json: try FieldFilter.array(texts, query.fields, db), next: page.next)
        }
    }

    /// One pool.
    /// - Throws: ``Problem`` `pool.notFound`.
    public func show(_ reference: Reference) async throws -> Rendered {
        let isConnected = environment.hypervisor.isConnected
        await seek(reference)
        return try await inventory.read { db in
            let row = try PoolStore.get(db, reference)
            let text = try Self.text(row, try PoolUse.all(db), isConnected)
            return Rendered(json: text, etag: row.etag, observedAt: row.observedAt)
        }
    }

    private static func text(
        _ row: PoolRow, _ uses: [ObjectID: PoolUse], _ isConnected: Bool
    ) throws -> String {
        var pool = try row.value()
        let use = uses[row.id] ?? PoolUse()
        (pool.usedBy, pool.volumes) = (use.vms.sorted(), use.volumes)
        if !isConnected { (pool.health, pool.problem) = (.unknown, "libvirt is not connected") }
        return try JSON.text(pool)
    }

    /// Accepts a new pool.
    /// - Throws: ``Problem``: what is wrong with the request, or with the host for it.
    public func create(_ create: PoolCreate, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try VMRules.refuse(PoolRules.problems(create))
        _ = try environment.hypervisor.connection()
        return try await turns.alone(environment.state.instance) {
            try await environment.pools.resync()
            try await refuseTaken(create.name)
            let plan = try await PoolPlanner(environment: environment).plan(create, caller: context.caller)
            let request = PoolCreateOperation.Request(
                plan: plan, autostart: create.autostart ?? true, start: create.start ?? true)
            guard !context.dryRun else { return .preview(Self.preview(request)) }
            let new = try NewOperation(
                PoolCreateOperation.self, request, resources: [plan.reference], claims: Claim.whole(plan.id),
                requestor: context.caller.requestor)
            return try await acceptance.accept(new, context, target: plan.name) { transaction in
                let pool = plan.reserved(at: .now, autostart: request.autostart)
                try transaction.store(pool, plan.mark)
            }
        }
    }

    private func refuseTaken(_ name: Name) async throws {
        guard try await inventory.read({ try PoolStore.find($0, .name(name.rawValue)) }) != nil else {
            return
        }
        throw Problem(.poolExists, "there is a pool \(name) already", hint: "vctl pool show \(name)")
    }

    private static func preview(_ request: PoolCreateOperation.Request) -> Preview {
        let plan = request.plan
        var changes = plan.mark.folders.map { "make the directory \($0)" }
        changes.append("define pool \"\(plan.name)\" in \(plan.target)")
        if request.autostart { changes.append("start it with the host") }
        if request.start { changes.append("start it") }
        return Preview(action: "pool.create", target: plan.name, changes: changes)
    }

    // MARK: What all changes begin with

    /// The row as libvirt has the pool now, provided that it is what the caller has seen.
    func current(_ reference: Reference, _ context: RequestContext) async throws -> (PoolRow, Pool) {
        _ = try environment.hypervisor.connection()
        do {
            try await environment.pools.refresh(try await known(reference))
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        let row = try await inventory.read { try PoolStore.get($0, reference) }
        try Revision.check(context.ifMatch, row.etag, "pool \(row.name)")
        return (row, try row.value())
    }

    /// The id of a pool. One that is not in the inventory may have been made just now, or not been read yet.
    func known(_ reference: Reference) async throws -> ObjectID {
        if let row = try await inventory.read({ try PoolStore.find($0, reference) }) { return row.id }
        try await environment.pools.resync()
        return try await inventory.read { try PoolStore.get($0, reference).id }
    }

    /// Lets a pool be found that was made just now, as far as libvirt can be asked.
    func seek(_ reference: Reference) async {
        if environment.hypervisor.isConnected { _ = try? await known(reference) }
    }

    /// The same of a pool that is ours.
    func managed(_ reference: Reference, _ context: RequestContext) async throws -> (PoolRow, Pool) {
        let (row, pool) = try await current(reference, context)
        guard pool.managed else {
            throw Problem(
                .poolForeign, "pool \(shown(row.name)) was not made by this vctl, which does not change it",
                hint: "vctl pool adopt \(shown(row.name))")
        }
        return (row, pool)
    }

    /// - Parameter holding: what of the pool nobody else may have meanwhile; `nil`: all of it, so that no
    ///   disk is made in it.
    func act<Kind: OperationKind>(
        _ kind: Kind.Type, _ request: Kind.Request, _ row: PoolRow, _ context: RequestContext,
        _ changes: [String], holding: [Claim]? = nil, claims: [Claim] = []
    ) async throws -> Accepted {
        guard !context.dryRun else {
            return .preview(Preview(action: context.action, target: row.name, changes: changes))
        }
        let new = try NewOperation(
            kind, request, resources: [row.reference], claims: (holding ?? Claim.whole(row.id)) + claims,
            requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: row.name)
    }

    static func used(_ pool: String, _ users: [String]) -> Problem {
        Problem(
            .poolInUse, "pool \(shown(pool)) has disks of \(NetworkService.list(users))",
            hint: "vctl vm disk list \(shown(users[0]))")
    }
}
