// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI

extension VMService {
    /// Accepts a clone of a VM, of a running one's disks as they are at one moment.
    /// - Throws: ``Problem``: what is wrong with the request, with the VM, or with the host for it.
    public func clone(_ reference: Reference, _ clone: VMClone, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try VMRules.refuse(
            LabelRules.problems(clone.labels ?? [:])
                + TextRules.problems("description", clone.description, Limits.description))
        try await observeFirst(reference)
        let row = try await current(reference, context)
        let source = try row.value()
        try Self.refuseCopy(of: source)
        try await refuseTaken(clone.name)
        let planner = ClonePlanner(
            environment: environment, source: source, request: clone, caller: context.caller)
        let draft: ClonePlanner.Draft
        do {
            draft = try await planner.draft()
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        guard !context.dryRun else { return .preview(preview(draft, context)) }
        return try await accept(draft, context)
    }

    /// - Throws: ``Problem`` where a VM's disks do not hold all that it is.
    static func refuseCopy(of vm: VM) throws {
        guard vm.state == .suspended || vm.state == .missing else { return }
        let name = shown(vm.name)
        if vm.state == .missing { try PowerChange.reset.refuse(in: .missing, name: name) }
        throw Problem(
            .vmState, "VM \(name) is suspended: what it had in its memory would be missing from the disks",
            hint: "vctl vm start \(name)")
    }

    private func accept(_ draft: ClonePlanner.Draft, _ context: RequestContext) async throws -> Accepted {
        let plan = draft.request.plan
        let seeds = SeedFiles(environment.state)
        if let seed = draft.seed { try seeds.keep(seed, for: plan.id, accepted: false) }
        do {
            let new = try NewOperation(
                VMCloneOperation.self, draft.request, resources: [plan.reference, plan.source],
                claims: claims(draft), requestor: context.caller.requestor)
            return try await acceptance.accept(new, context, target: plan.name) { transaction in
                if let image = draft.image { _ = try UsableImage.find(transaction.db, .id(image.id)) }
                try transaction.store(draft.vm)
            }
        } catch {
            try? seeds.remove(plan.id)
            throw try await explain(error, try Name(plan.name))
        }
    }

    /// Several may be copied from one that is off; a mirror has the running one's disks for itself.
    private func claims(_ draft: ClonePlanner.Draft) -> [Claim] {
        let source = draft.request.plan.source.id
        let disks =
            draft.request.live ? Claim.exclusive(source, .disks) : Claim.shared(source, .disks)
        return Claim.whole(draft.request.plan.id) + Claim.shared(source, .definition, .power) + disks
            + (draft.image.map { Claim.shared($0.id, .disks) } ?? []) + draft.disks
    }

    private func preview(_ draft: ClonePlanner.Draft, _ context: RequestContext) -> Preview {
        let request = draft.request
        var changes = request.pool.map { ["define pool \"\($0.name)\" at \($0.path)"] } ?? []
        changes += request.plan.disks.map { disk in
            let size = ByteCount.human(disk.volume.sizeBytes)
            let from = disk.volume.source.map { " copied from \($0.path)" } ?? ""
            let over = disk.volume.source?.backing.map { ", linked to \($0.path)" } ?? ""
            return "make disk \(disk.volume.path), \(disk.volume.format.rawValue), \(size)\(from)\(over)"
        }
        if request.plan.nvram != nil { changes.append("copy the firmware's variables") }
        if draft.seed != nil { changes.append("make a cloud-init seed") }
        changes.append("define domain \"\(request.plan.name)\"")
        if request.start { changes.append("start it") }
        return Preview(
            action: context.action, target: request.plan.name, changes: changes, warnings: request.warnings)
    }
}
