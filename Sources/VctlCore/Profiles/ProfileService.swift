// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Making, looking at, changing and deleting profiles. Each change is one transaction; VMs keep what they
/// were made with.
public struct ProfileService: Sendable {
    let inventory: Inventory
    let state: StateDirectory

    /// What became of a request that changes something.
    public enum Changed: Sendable {
        case profile(Rendered)
        case preview(Preview)
    }

    /// A page of profiles, by name.
    public func list(_ query: ListQuery) async throws -> Rendered {
        try await inventory.read { db in
            let page = try ProfileStore.page(db, query)
            let texts = try page.rows.map { try JSON.text($0.document) }
            return Rendered(json: try FieldFilter.array(texts, query.fields, db), next: page.next)
        }
    }

    /// One profile.
    /// - Throws: ``Problem`` `profile.notFound`.
    public func show(_ reference: Reference) async throws -> Rendered {
        try await inventory.read { try Self.rendered(try ProfileStore.get($0, reference)) }
    }

    private static func rendered(_ row: ProfileRow) throws -> Rendered {
        Rendered(json: try JSON.text(row.document), etag: row.etag)
    }

    /// Makes a profile.
    /// - Throws: ``Problem`` `request.invalid`, `profile.exists`, `idempotency.mismatch`.
    public func create(_ create: ProfileCreate, _ context: RequestContext) async throws -> Changed {
        let texts = ProfileTexts().changed(create.cloudInit, create.networkConfig)
        var made = Profile(
            id: ObjectID(), name: create.name, settings: create.settings ?? ProfileSettings(), createdAt: .now
        )
        made.description = create.description
        made.labels = create.labels ?? [:]
        let profile = try checked(made, texts)
        guard !context.dryRun else {
            try await refuseTaken(create.name)
            return .preview(preview(context, profile.name, ["make profile \(profile.name)"]))
        }
        return .profile(
            try await inventory.write { [state] transaction in
                let uid = context.caller.uid
                if let earlier = try transaction.earlier(context.idempotency, uid: uid, state.hasher) {
                    guard case .object(let id) = earlier else {
                        throw Problem(.internalError, "an operation has made no profile")
                    }
                    return try Self.rendered(try ProfileStore.get(transaction.db, .id(id)))
                }
                try transaction.insert(profile)
                try transaction.remember(context.idempotency, uid: uid, state.hasher, object: profile.id)
                try transaction.audit(context, target: profile.name.rawValue)
                // Inside the transaction, behind all that can refuse; a start sweeps what no row belongs to.
                try state.keep(texts, of: profile.id)
                try state.keep(.profile, profile.id, profile)
                return try Self.rendered(try ProfileStore.get(transaction.db, .id(profile.id)))
            })
    }

    private func refuseTaken(_ name: Name) async throws {
        guard try await inventory.read({ try ProfileStore.find($0, .name(name.rawValue)) }) != nil else {
            return
        }
        throw Problem(
            .profileExists, "there is a profile \(name) already", hint: "vctl profile show \(name)")
    }

    private func preview(_ context: RequestContext, _ name: Name, _ changes: [String]) -> Preview {
        Preview(action: context.action, target: name.rawValue, changes: changes)
    }

    /// - Throws: ``Problem`` `request.invalid` with all that is wrong.
    private func checked(_ profile: Profile, _ texts: ProfileTexts) throws -> Profile {
        try VMRules.refuse(
            try ProfileRules.problems(
                profile.settings, texts, labels: profile.labels, description: profile.description))
        var profile = profile
        profile.hasCloudInit = texts.cloudInit != nil
        profile.hasNetworkConfig = texts.networkConfig != nil
        return profile
    }

    /// Changes what the patch holds. VMs that were made with it stay as they are.
    /// - Throws: ``Problem`` `profile.notFound`, `profile.exists`, `revision.stale`, `request.invalid`.
    public func set(
        _ reference: Reference, _ patch: ProfilePatch, _ context: RequestContext
    ) async throws -> Changed {
        try VMRules.refuse(LabelRules.problems(patch: patch.labels ?? [:]))
        guard !context.dryRun else {
            let row = try await inventory.read { try ProfileStore.get($0, reference) }
            let (profile, _) = try patched(row, patch, context)
            if profile.name != row.document.name { try await refuseTaken(profile.name) }
            return .preview(preview(context, row.document.name, ["change profile \(row.document.name)"]))
        }
        return .profile(
            try await inventory.write { [state] transaction in
                let row = try ProfileStore.get(transaction.db, reference)
                let (profile, texts) = try patched(row, patch, context)
                let newTexts = patch.cloudInit != nil || patch.networkConfig != nil
                try transaction.update(profile, newTexts: newTexts)
                try transaction.audit(context, target: row.document.name.rawValue)
                if newTexts { try state.keep(texts, of: profile.id) }
                try state.keep(.profile, profile.id, profile)
                return try Self.rendered(try ProfileStore.get(transaction.db, .id(profile.id)))
            })
    }

    private func patched(
        _ row: ProfileRow, _ patch: ProfilePatch, _ context: RequestContext
    ) throws -> (Profile, ProfileTexts) {
        var profile = row.document
        try Revision.check(context.ifMatch, row.etag, "profile \(profile.name)")
        if let name = patch.name { profile.name = name }
        if let description = patch.description { profile.description = description.orNil }
        profile.labels = VMService.merged(profile.labels, patch.labels ?? [:])
        if let change = patch.settings { profile.settings = change.applied(to: profile.settings) }
        let texts = try state.texts(of: profile.id).changed(patch.cloudInit, patch.networkConfig)
        return (try checked(profile, texts), texts)
    }

    /// Deletes a profile; VMs that were made with it stay.
    /// - Returns: what a dry run would do.
    /// - Throws: ``Problem`` `profile.notFound`, `revision.stale`.
    public func delete(_ reference: Reference, _ context: RequestContext) async throws -> Preview? {
        let row = try await inventory.read { try ProfileStore.get($0, reference) }
        try Revision.check(context.ifMatch, row.etag, "profile \(row.document.name)")
        let name = row.document.name
        guard !context.dryRun else { return preview(context, name, ["delete profile \(name)"]) }
        try await inventory.write { transaction in
            let now = try ProfileStore.get(transaction.db, .id(row.document.id))
            try Revision.check(context.ifMatch, now.etag, "profile \(name)")
            try transaction.removeProfile(now.document)
            try transaction.audit(context, target: name.rawValue)
        }
        try state.forget(.profile, row.document.id)
        try state.keep(ProfileTexts(), of: row.document.id)
        return nil
    }
}

extension VMService {
    /// The request, filled from the profile that it names.
    /// - Throws: ``Problem`` `profile.notFound`.
    func filled(_ create: VMCreate) async throws -> VMCreate {
        guard let reference = create.profile else { return create }
        let profile = try await inventory.read { try ProfileStore.get($0, reference).document }
        var full = create.filled(from: profile, try environment.state.texts(of: profile.id))
        full.profile = .name(profile.name.rawValue)
        return full
    }
}
