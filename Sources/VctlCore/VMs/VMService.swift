// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI

/// Everything that can be asked of VMs. Reads come from the inventory and never wait for libvirt.
public struct VMService: Sendable {
    let environment: VMEnvironment
    let acceptance: Acceptance

    var inventory: Inventory { environment.inventory }

    /// A page of VMs, by name.
    public func list(_ query: ListQuery) async throws -> Rendered {
        try await inventory.answer(.vms(query)) { db in
            let page = try VMStore.page(db, query)
            return Rendered(json: "[" + page.texts.joined(separator: ",") + "]", next: page.next)
        }
    }

    /// One VM.
    /// - Throws: ``Problem`` `vm.notFound`.
    public func show(_ reference: Reference) async throws -> Rendered {
        try await inventory.answer(.vm(reference)) { db in
            let row = try VMStore.get(db, reference)
            return Rendered(json: row.json, etag: row.etag, observedAt: row.observedAt)
        }
    }

    func row(_ reference: Reference) async throws -> VMRow {
        try await inventory.read { try VMStore.get($0, reference) }
    }

    /// Accepts a new VM.
    /// - Throws: ``Problem``: what is wrong with the request, or with the host for it.
    public func create(_ create: VMCreate, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let create = try await filled(create)
        try VMRules.refuse(VMRules.problems(create))
        try await refuseTaken(create.name)
        if let xml = create.xml { return try await define(create, xml, context) }
        let draft = try await VMPlanner(environment: environment).draft(create, caller: context.caller)
        guard !context.dryRun else { return .preview(preview(draft)) }
        let seeds = SeedFiles(environment.state)
        if let seed = draft.seed { try seeds.keep(seed, for: draft.request.plan.id, accepted: false) }
        do {
            let new = try NewOperation(
                VMCreateOperation.self, draft.request, resources: [draft.request.reference],
                claims: draft.claims, requestor: context.caller.requestor)
            return try await acceptance.accept(new, context, target: create.name.rawValue) { transaction in
                try transaction.recheckImage(draft)
                try transaction.recheckDisks(draft)
                try transaction.recheckMACs(draft)
                try transaction.store(draft.vm)
            }
        } catch {
            try? seeds.remove(draft.request.plan.id)
            throw try await explain(error, create.name)
        }
    }

    func refuseTaken(_ name: Name) async throws {
        guard let row = try await inventory.read({ try VMStore.find($0, .name(name.rawValue)) }) else {
            return
        }
        guard try row.value().state != .missing else { return }
        throw Self.taken(name)
    }

    static func taken(_ name: Name) -> Problem {
        Problem(.vmExists, "there is a VM \(name) already", hint: "vctl vm show \(name)")
    }

    /// The database decides who is first; its refusal is told in words.
    func explain(_ error: any Error, _ name: Name) async throws -> any Error {
        guard let error = error as? DatabaseError, error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE
        else {
            return error
        }
        return Self.taken(name)
    }

    private func preview(_ draft: VMPlanner.Draft) -> Preview {
        let request = draft.request
        var changes = request.pool.map { ["define pool \"\($0.name)\" at \($0.path)"] } ?? []
        changes += request.volumes.map { volume in
            let from = volume.source.map { " \($0.linked ? "linked to" : "copied from") \($0.path)" } ?? ""
            let size = ByteCount.human(volume.sizeBytes)
            return "make disk \(volume.path), \(volume.format.rawValue), \(size)\(from)"
        }
        if request.hasSeed { changes.append("make the cloud-init seed") }
        changes.append("define domain \"\(request.plan.name)\"")
        if request.start { changes.append("start it") }
        return Preview(
            action: "vm.create", target: request.plan.name, changes: changes, warnings: request.warnings)
    }
}

extension Transaction {
    /// Another request may have taken an existing disk meanwhile: two VMs that write to one destroy it.
    fileprivate func recheckDisks(_ draft: VMPlanner.Draft) throws {
        for path in draft.request.plan.existingDisks {
            guard let user = try DiskUsers.name(db, path: path) else { continue }
            throw DiskUsers.problem(path, .domain(user), hint: "vctl vm show \(shown(user))")
        }
    }

    /// Another request may have taken a MAC meanwhile: two NICs with one get each other's packets.
    fileprivate func recheckMACs(_ draft: VMPlanner.Draft) throws {
        let taken = try MACStore.taken(db)
        for (index, nic) in draft.vm.nics.enumerated() {
            guard let owner = taken[nic.mac] else { continue }
            throw MACStore.problem(nic.mac, owner, field: "networks[\(index)].mac")
        }
    }

    /// The image may have gone since the plan was made.
    fileprivate func recheckImage(_ draft: VMPlanner.Draft) throws {
        guard let image = draft.vm.image else { return }
        _ = try UsableImage.find(db, .id(image.id))
    }
}
