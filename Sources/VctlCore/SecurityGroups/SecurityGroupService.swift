// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Making, looking at, changing and deleting security groups. A change counts for all NICs at once.
public struct SecurityGroupService: Sendable {
    let inventory: Inventory
    let state: StateDirectory
    let nicGuard: NICGuard

    /// The most rules of one group.
    static let most = 256

    /// What became of a request that changes something.
    public enum Changed: Sendable {
        case group(Rendered)
        case preview(Preview)
    }

    /// A page of groups, by name.
    public func list(_ query: ListQuery) async throws -> Rendered {
        try await inventory.read { db in
            let page = try SecurityGroupStore.page(db, query)
            let texts = try page.rows.map { try Self.rendered($0, db).json }
            return Rendered(json: try FieldFilter.array(texts, query.fields, db), next: page.next)
        }
    }

    /// One group.
    /// - Throws: ``Problem`` `securityGroup.notFound`.
    public func show(_ reference: Reference) async throws -> Rendered {
        try await inventory.read { try Self.rendered(try SecurityGroupStore.get($0, reference), $0) }
    }

    private static func rendered(_ row: SecurityGroupRow, _ db: Database) throws -> Rendered {
        var group = row.document
        group.usedBy = try SecurityGroupStore.users(db, group.name)
        return Rendered(json: try JSON.text(group), etag: row.etag)
    }

    /// Makes a group.
    /// - Throws: ``Problem`` `request.invalid`, `securityGroup.exists`, `idempotency.mismatch`.
    public func create(_ create: SecurityGroupCreate, _ context: RequestContext) async throws -> Changed {
        var group = SecurityGroup(
            id: ObjectID(), name: create.name, rules: create.rules ?? [], createdAt: .now)
        (group.description, group.labels) = (create.description, create.labels ?? [:])
        try VMRules.refuse(Self.problems(group))
        guard !context.dryRun else {
            return .preview(preview(context, group, "make security group \(group.name)"))
        }
        return .group(
            try await inventory.write { [state, group] transaction in
                let uid = context.caller.uid
                if let earlier = try transaction.earlier(context.idempotency, uid: uid, state.hasher) {
                    guard case .object(let id) = earlier else {
                        throw Problem(.internalError, "an operation has made no security group")
                    }
                    return try Self.rendered(
                        try SecurityGroupStore.get(transaction.db, .id(id)), transaction.db)
                }
                try transaction.insert(group)
                try transaction.remember(context.idempotency, uid: uid, state.hasher, object: group.id)
                try transaction.audit(context, target: group.name.rawValue)
                try state.keep(.securitygroup, group.id, group)
                return try Self.rendered(
                    try SecurityGroupStore.get(transaction.db, .id(group.id)), transaction.db)
            })
    }

    private func preview(_ context: RequestContext, _ group: SecurityGroup, _ change: String) -> Preview {
        Preview(action: context.action, target: group.name.rawValue, changes: [change])
    }

    private static func problems(_ group: SecurityGroup) -> [FieldProblem] {
        let tooMany = group.rules.count > most ? [FieldProblem("rules", "at most \(most) rules")] : []
        return tooMany + LabelRules.problems(group.labels)
            + TextRules.problems("description", group.description, Limits.description)
    }

    /// Changes what the patch holds, for all NICs that have the group.
    /// - Throws: ``Problem`` `securityGroup.notFound`, `revision.stale`, `request.invalid`.
    public func set(
        _ reference: Reference, _ patch: SecurityGroupPatch, _ context: RequestContext
    ) async throws -> Changed {
        try VMRules.refuse(LabelRules.problems(patch: patch.labels ?? [:]))
        guard !context.dryRun else {
            let row = try await inventory.read { try SecurityGroupStore.get($0, reference) }
            let group = try Self.patched(row, patch, context)
            return .preview(preview(context, group, "change security group \(group.name)"))
        }
        let reply = try await inventory.write { [state] transaction in
            let row = try SecurityGroupStore.get(transaction.db, reference)
            let group = try Self.patched(row, patch, context)
            try transaction.update(group)
            try transaction.audit(context, target: group.name.rawValue)
            try state.keep(.securitygroup, group.id, group)
            return try Self.rendered(
                try SecurityGroupStore.get(transaction.db, .id(group.id)), transaction.db)
        }
        try await nicGuard.ensure()
        return .group(reply)
    }

    private static func patched(
        _ row: SecurityGroupRow, _ patch: SecurityGroupPatch, _ context: RequestContext
    ) throws -> SecurityGroup {
        var group = row.document
        try Revision.check(context.ifMatch, row.etag, "security group \(group.name)")
        if let description = patch.description { group.description = description.orNil }
        group.labels = VMService.merged(group.labels, patch.labels ?? [:])
        if let rules = patch.rules { group.rules = rules }
        try VMRules.refuse(problems(group))
        return group
    }

    /// Deletes a group that no NIC has.
    /// - Returns: what a dry run would do.
    /// - Throws: ``Problem`` `securityGroup.notFound`, `securityGroup.inUse`, `revision.stale`.
    public func delete(_ reference: Reference, _ context: RequestContext) async throws -> Preview? {
        let group = try await inventory.read { try Self.deletable($0, reference, context) }
        guard !context.dryRun else { return preview(context, group, "delete security group \(group.name)") }
        try await inventory.write { transaction in
            try transaction.remove(try Self.deletable(transaction.db, .id(group.id), context))
            try transaction.audit(context, target: group.name.rawValue)
        }
        try state.forget(.securitygroup, group.id)
        return nil
    }

    private static func deletable(
        _ db: Database, _ reference: Reference, _ context: RequestContext
    ) throws -> SecurityGroup {
        let row = try SecurityGroupStore.get(db, reference)
        try Revision.check(context.ifMatch, row.etag, "security group \(row.document.name)")
        let users = try SecurityGroupStore.users(db, row.document.name)
        guard let first = users.first else { return row.document }
        let list = users.prefix(10).map { shown($0) }.joined(separator: ", ")
        throw Problem(
            .securityGroupInUse, "security group \(row.document.name) is used by \(list)",
            hint: "vctl vm nic list \(shown(first)) --columns mac,securityGroups")
    }
}
