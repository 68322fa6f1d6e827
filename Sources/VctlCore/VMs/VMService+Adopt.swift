// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

extension VMService {
    /// Takes over a domain that somebody else defined. Only our element in its `<metadata>` changes; its
    /// disks stay theirs, and are never removed with it.
    /// - Throws: ``Problem`` `vm.transient`, `vm.foreign` where another instance has it.
    public func adopt(_ reference: Reference, _ adopt: VMAdopt, _ context: RequestContext) async throws
        -> Accepted
    {
        try VMRules.refuse(LabelRules.problems(adopt.labels ?? [:]))
        return try await mark(reference, context) { row, domain, before in
            guard try await domain.isPersistent() else { throw Self.transient(row.name) }
            var mark = try newMark(row, before, context)
            mark.labels.merge(adopt.labels ?? [:]) { $1 }
            try VMRules.refuse(LabelRules.problems(count: mark.labels.count))
            let change = "mark domain \"\(row.name)\" as this vctl's, and change nothing else"
            return (mark.metadataText, [change])
        }
    }

    /// Gives a VM back to whoever wants it: takes our element out of its `<metadata>`.
    /// - Throws: ``Problem`` `vm.foreign`.
    public func release(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        try await mark(reference, context) { row, _, _ in
            let vm = try row.value()
            guard vm.managed else {
                throw Problem(.vmForeign, "VM \(shown(row.name)) is not this vctl's", hint: "vctl vm list")
            }
            let rest = vm.isStartedByOrder ? "let libvirt start it with the host" : "change nothing else"
            return (nil, ["take the mark off domain \"\(row.name)\", and \(rest)"])
        }
    }

    private func mark(
        _ reference: Reference, _ context: RequestContext,
        _ decide: (VMRow, Domain, String?) async throws -> (after: String?, changes: [String])
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try await observeFirst(reference)
        let row = try await current(reference, context)
        do {
            let domain = try await DomainEffects(environment: environment).existing(row.id)
            let before = try await DomainEffects.keptMetadata(domain)
            let (after, changes) = try await decide(row, domain, before)
            var request = VMMarkOperation.Request(vm: row.reference, before: before, after: after)
            // By whom else, once it is not ours any more.
            if after == nil, try row.value().isStartedByOrder { request.autostart = true }
            let claims = Claim.exclusive(row.id, .definition)
            return try await act(VMMarkOperation.self, request, claims, row, context, changes)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    /// The mark of the adopted VM: the one that it has, if it is ours; of another's only what was said about
    /// the VM, for its image and its volumes are not ours.
    private func newMark(_ row: VMRow, _ before: String?, _ context: RequestContext) throws -> Mark {
        let instance = environment.state.instance
        let ownership = Ownership(before.flatMap(Mark.init(metadata:)), instance: instance, id: row.id)
        var mark = Mark(instance: instance, id: row.id)
        switch ownership {
        case .ours(let known): return known
        case .another(let other), .copy(let other):
            guard context.force else { throw Self.marked(row.name, ownership) }
            (mark.labels, mark.createdAt, mark.creator) = (other.labels, other.createdAt, other.creator)
            mark.protected = other.protected
        case .none: break
        }
        mark.adoptedAt = .now
        mark.adopter = context.caller.user ?? "uid \(context.caller.uid)"
        return mark
    }

    private static func transient(_ name: String) -> Problem {
        Problem(
            .vmTransient,
            "VM \(shown(name)) is transient: libvirt keeps no definition of it, and forgets it when it stops",
            hint: "virsh dumpxml \(shown(name)) > vm.xml && virsh define vm.xml makes it persistent")
    }

    private static func marked(_ name: String, _ ownership: Ownership) -> Problem {
        let what =
            if case .another(let mark) = ownership { "belongs to the vctl instance \(mark.instance)" } else {
                "is a copy of another VM, with that one's mark"
            }
        return Problem(
            .vmForeign, "VM \(shown(name)) \(what)",
            hint: "vctl vm adopt \(shown(name)) --force takes it over")
    }
}
