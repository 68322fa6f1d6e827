// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

extension VMService {
    /// Accepts an image of a VM's disk, of a running one's as it is at one moment.
    /// - Throws: ``Problem``: what is wrong with the request, with the VM, or with the host for it.
    public func publish(_ reference: Reference, _ publish: VMPublish, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try VMRules.refuse(
            LabelRules.problems(publish.labels ?? [:])
                + TextRules.problems("description", publish.description, Limits.description))
        try await observeFirst(reference)
        let row = try await current(reference, context)
        try Self.refuseCopy(of: try row.value())
        try await refuseTakenImage(publish.name)
        let request: ImagePublish.Request
        do {
            request = try await plan(publish, row)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        guard !context.dryRun else { return .preview(preview(request, context)) }
        let live = request.live
        let disks = live ? Claim.exclusive(row.id, .disks) : Claim.shared(row.id, .disks)
        let new = try NewOperation(
            ImagePublish.self, request, resources: [request.image.reference, row.reference],
            claims: Claim.whole(request.image.id) + Claim.shared(row.id, .definition, .power) + disks,
            requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: publish.name.rawValue) { transaction in
            try transaction.insert(request.image, operation: new.id)
        }
    }

    private func refuseTakenImage(_ name: Name) async throws {
        guard try await inventory.read({ try ImageStore.find($0, .name(name.rawValue)) }) != nil else {
            return
        }
        throw Problem(
            .imageExists, "there is an image \(name) already", hint: "vctl image show \(name)")
    }

    private func plan(_ publish: VMPublish, _ row: VMRow) async throws -> ImagePublish.Request {
        let domain = try await DomainEffects(environment: environment).existing(row.id)
        let saved = try DomainXML(parsing: try await domain.xml([.inactive, .secure]))
        let disk = try chosen(publish.disk, saved, row)
        let sources = SourceDisks(name: row.name, domain: domain)
        try await sources.refusePending(saved, only: disk.targetDev)
        let content = try await sources.content(of: disk)
        var image = Image(id: ObjectID(), name: publish.name, state: .importing, createdAt: .now)
        image.source = Image.source(vm: row.name)
        image.description = publish.description
        image.labels = publish.labels ?? [:]
        image.protected = publish.protected ?? false
        var volume = NewVolume(
            id: image.id, path: environment.state.partialImage(image.id, .qcow2), format: .qcow2,
            sizeBytes: content.sizeBytes, preallocation: .off)
        volume.source = .init(path: content.path, format: content.format, linked: false)
        try SourceDisks.requireRoom(for: [volume])
        return .init(
            image: image, source: row.reference,
            disk: .init(target: disk.targetDev ?? "?", volume: volume),
            live: try await domain.isActive())
    }

    /// The disk that was named; without a name the one that the VM boots from.
    private func chosen(_ target: String?, _ saved: DomainXML, _ row: VMRow) throws -> DiskXML {
        let own = saved.disks.filter(ClonePlan.isOwn)
        let first = own.min { ($0.bootOrder ?? .max) < ($1.bootOrder ?? .max) }
        if let disk = target.map({ name in own.first { $0.targetDev == name } }) ?? first { return disk }
        let known = own.compactMap(\.targetDev).joined(separator: ", ")
        throw Problem(
            .diskNotFound,
            "VM \(shown(row.name)) has no disk \(target.map { shown($0) } ?? "") that can be copied"
                + (known.isEmpty ? "" : "; it has \(shown(known))"),
            hint: "vctl vm disk list \(shown(row.name))")
    }

    private func preview(_ request: ImagePublish.Request, _ context: RequestContext) -> Preview {
        let from = request.disk.volume.source?.path ?? "?"
        let size = ByteCount.human(request.disk.volume.sizeBytes)
        let how = request.live ? ", as it is at one moment, for which the VM is halted shortly" : ""
        return Preview(
            action: context.action, target: request.image.name.rawValue,
            changes: ["copy \(from), \(size)\(how)", "store it as image \(request.image.name), qcow2"])
    }
}

extension Image {
    private static let vmPrefix = "vm:"

    /// Where an image comes from that was made of a VM.
    static func source(vm name: String) -> String { vmPrefix + name }

    /// Whether a guest has run on it, and left its machine-id there.
    var wasUsed: Bool { source?.hasPrefix(Self.vmPrefix) ?? false }
}
