// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import VctlAPI
import VirtXML

extension VMService {
    /// Changes what the patch names. All is checked before anything is changed, and what may still be refused
    /// comes first.
    public func set(_ reference: Reference, _ patch: VMPatch, _ context: RequestContext) async throws
        -> SetReply
    {
        try VMRules.refuse(problems(patch))
        let id = try await row(reference).id
        guard !context.dryRun else { return try await change(id, patch, context) }
        _ = try environment.hypervisor.connection()
        return try await environment.turns.alone(id) {
            // What others have changed meanwhile, with whatever tool, counts for `If-Match`.
            try await environment.observe(id)
            return try await change(id, patch, context)
        }
    }

    private func change(_ id: ObjectID, _ patch: VMPatch, _ context: RequestContext) async throws -> SetReply
    {
        let (row, vm) = try await managed(.id(id), context)
        let labels = Self.merged(vm.labels, patch.labels ?? [:])
        try VMRules.refuse(LabelRules.problems(count: labels.count))
        if let name = patch.name, name.rawValue != row.name { try await refuseRename(vm, to: name) }
        let redefinition = try await Redefinition.plan(patch, of: id, context.caller, environment)
        guard !context.dryRun else { return .preview(preview(row, patch, redefinition)) }
        try await refuseHeld(row.id, definition: patch.changesDefinition)
        try await checkEffects(patch, row)
        // Before anything is done: what fails half-way has changed something, too.
        try await inventory.write { try $0.audit(context, target: row.name) }
        try await inventory.readings.changing(row.id) {
            do {
                // First what the guest, then what libvirt may refuse: then nothing else has been changed.
                try await changeAccounts(patch, row.id)
                try await redefinition?.apply(environment)
                try await apply(patch, labels, to: row.id)
            } catch let error as LibvirtError {
                throw Problem(libvirt: error)
            }
            try await environment.observe(row.id)
        }
        return .vm(try await show(.id(row.id)))
    }

    /// - Parameter definition: whether the definition changes, which others may be reading.
    private func refuseHeld(_ id: ObjectID, definition: Bool) async throws {
        let holder = try await inventory.read { db in
            try VMStore.get(db, .id(id)).operation
                ?? (definition ? Claim.holder(db, of: id, .definition) : nil)
        }
        if let holder { throw Problem(conflict: ClaimConflict(subject: id, holder: holder)) }
    }

    /// What would fail half-way is tried before anything is changed.
    private func checkEffects(_ patch: VMPatch, _ row: VMRow) async throws {
        if patch.user != nil { _ = try await answering(row) }
        if patch.cloudInit != nil || patch.networkConfig != nil { _ = try keptSeed(row.id) }
    }

    private func keptSeed(_ id: ObjectID) throws -> Seed {
        if let seed = try SeedFiles(environment.state).kept(id) { return seed }
        throw Problem(
            .vmState, "this VM was made without a cloud-init seed, and has no drive for one",
            hint: "make it with --image, --user, --ssh-key or --cloud-init")
    }

    /// The reply of ``set(_:_:_:)``.
    public enum SetReply: Sendable {
        case vm(Rendered)
        case preview(Preview)
    }

    private func apply(_ patch: VMPatch, _ labels: [String: String], to id: ObjectID) async throws {
        let domains = DomainEffects(environment: environment)
        guard let domain = try await domains.ours(id) else {
            _ = try await domains.existing(id)
            return
        }
        try await changeSeed(patch, id)
        if patch.changesMark {
            try await domains.changeMark(of: domain) { mark in
                mark.labels = labels
                if let protected = patch.protected { mark.protected = protected }
                if let onCrash = patch.onCrash { mark.onCrash = onCrash }
            }
        }
        if let description = patch.description?.text {
            let affect = try await domains.affect(domain)
            try await domain.setNote(description.isEmpty ? nil : description, affect)
        }
        try await domains.setAutostart(patch, of: domain)
        if let name = patch.name?.rawValue {
            try await rename(id, to: name) { try await domains.changeMark(of: domain, $0) }
        }
    }

    private func problems(_ patch: VMPatch) -> [FieldProblem] {
        var request = SeedRequest(instanceID: "check", hostname: "check")
        request.cloudInit = patch.cloudInit
        request.networkConfig = patch.networkConfig
        var accounts = SeedRequest(instanceID: "check", hostname: "check")
        (accounts.user, accounts.sshKeys) = (patch.user, patch.sshKeys ?? [])
        return accounts.problems() + Self.accountProblems(patch)
            + LabelRules.problems(patch: patch.labels ?? [:]) + request.problems()
            + TextRules.problems("description", patch.description?.text, Limits.description)
            + VMRules.problems(patch)
    }

    private static func accountProblems(_ patch: VMPatch) -> [FieldProblem] {
        let changes = patch.sshKeys != nil || patch.password != nil
        if changes, patch.user == nil { return [FieldProblem("user", "say whose keys or password")] }
        if patch.user != nil, !changes {
            return [FieldProblem("user", "say what changes: sshKeys or password")]
        }
        return []
    }

    private func changeAccounts(_ patch: VMPatch, _ id: ObjectID) async throws {
        guard let user = patch.user else { return }
        let accounts = GuestAccounts(agent: try await answering(try await row(.id(id))))
        if let keys = patch.sshKeys { try await accounts.add(keys, to: user) }
        if let password = patch.password { try await accounts.setPassword(password, of: user) }
    }

    /// A new instance-id makes cloud-init take the guest for new at its next boot, and so run the new
    /// user-data.
    private func changeSeed(_ patch: VMPatch, _ id: ObjectID) async throws {
        guard patch.cloudInit != nil || patch.networkConfig != nil else { return }
        let seeds = SeedFiles(environment.state)
        var seed = try keptSeed(id)
        if let text = patch.cloudInit { seed.userData = text.reveal() }
        if let text = patch.networkConfig { seed.networkConfig = text.reveal() }
        seed.metaData = try CloudConfig.renewed(metaData: seed.metaData, id: id)
        try seeds.keep(seed, for: id, accepted: true)
        try await seeds.build(id)
    }

    private func preview(_ row: VMRow, _ patch: VMPatch, _ redefinition: Redefinition?) -> Preview {
        var changes = redefinition?.sentences ?? []
        if let name = patch.name { changes.append("rename it to \(name), once it is off") }
        for (key, value) in (patch.labels ?? [:]).sorted(by: { $0.key < $1.key }) {
            changes.append(value.map { "set label \(key)=\($0)" } ?? "remove label \(key)")
        }
        if let protected = patch.protected {
            changes.append(protected ? "protect it" : "no longer protect it")
        }
        changes += StartRules.sentences(patch)
        if patch.description != nil { changes.append("change the description") }
        if patch.sshKeys != nil {
            changes.append("let \(patch.user ?? "?") log in with more keys, by the agent")
        }
        if patch.password != nil { changes.append("set the password of \(patch.user ?? "?"), by the agent") }
        if patch.cloudInit != nil || patch.networkConfig != nil {
            changes.append("make a new cloud-init seed, read at the next boot")
        }
        var preview = Preview(action: "vm.set", target: row.name, changes: changes)
        preview.xmlDiff = redefinition?.diff
        return preview
    }

    /// RFC 7396: `nil` removes.
    static func merged(_ old: [String: String], _ patch: [String: String?]) -> [String: String] {
        var result = old
        for (key, value) in patch { result[key] = value }
        return result
    }
}

extension CloudConfig {
    /// The meta-data with the next instance-id: `ID`, `ID-2`, `ID-3`, …
    static func renewed(metaData: String, id: ObjectID) throws -> String {
        let lines = metaData.split(separator: "\n", omittingEmptySubsequences: false)
        let known = lines.first { $0.hasPrefix("instance-id:") } ?? ""
        let value = known.dropFirst("instance-id:".count).filter { $0 != " " && $0 != "'" && $0 != "\"" }
        let count = Int(value.dropFirst(id.rawValue.count + 1)) ?? 1
        return lines.map { $0 == known ? "instance-id: \(id)-\(count + 1)" : String($0) }.joined(
            separator: "\n")
    }
}
