// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import VctlAPI

extension VMService {
    /// Deletes a VM, with its disks unless they are to be kept.
    public func delete(_ reference: Reference, keepDisks: Bool, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try await observeFirst(reference)
        let (row, vm) = try await managed(reference, context)
        guard !vm.protected || context.force else {
            throw Problem(
                .vmProtected, "VM \(row.name) is protected",
                hint: "vctl vm set \(row.name) --no-protect, or vctl vm delete \(row.name) --force")
        }
        let files = try await keepDisks ? [] : ownDisks(of: vm)
        try await refuseRead(files, of: row, "vctl vm delete \(shown(row.name)) --keep-disks", context)
        var request = VMDeleteOperation.Request(vm: row.reference, disks: files)
        request.force = context.force
        let kept = try await kept(for: vm)
        request.frees = kept.isEmpty ? nil : kept
        return try await act(
            VMDeleteOperation.self, request, Claim.whole(row.id) + Claim.all(kept), row, context,
            changes(request, vm))
    }

    /// The files of disks that were made for it; looked for, since they may be on a server.
    func ownDisks(of vm: VM) async throws -> [String] {
        try await environment.looks.ask("the disks of VM \(vm.name)") { OwnFiles.disks(of: vm) }
    }

    /// What DHCP keeps for it of that which was said of its NICs.
    private func kept(for vm: VM) async throws -> [AddressKeeping.Kept] {
        let keeping = AddressKeeping(environment: environment)
        var list: [AddressKeeping.Kept] = []
        for nic in vm.nics { list += [try await keeping.kept(nic.said(of: vm.name))].compactMap(\.self) }
        return list
    }

    /// What libvirt has of it now, and not what was last heard.
    /// - Throws: ``Problem`` `libvirt.unavailable`.
    func observeFirst(_ reference: Reference) async throws {
        let id = try await row(reference).id
        _ = try environment.hypervisor.connection()
        do {
            try await environment.observe(id)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    /// A disk that somebody else has, or reads from, is not removed under them.
    /// - Parameter keeping: the command that leaves the disk where it is.
    func refuseRead(_ files: [String], of row: VMRow, _ keeping: String, _ context: RequestContext)
        async throws
    {
        let reader = try await environment.readers.first(
            of: files, except: row.id, looseFiles: !context.force)
        let name = shown(row.name)
        var hint = keeping
        if let reader {
            if case .file = reader { hint += ", or --force to make that file useless" }
            throw Problem(
                .volumeInUse, "a disk of VM \(name) is used by \(reader.description), too", hint: hint)
        }
        guard !context.force, let link = try await VolumeUsers(environment: environment).link(to: files)
        else { return }
        hint += ", or --force to make that volume useless"
        throw Problem(
            .volumeInUse, "a disk of VM \(name) is what volume \(shown(link.volume)) reads from", hint: hint)
    }

    private func changes(_ request: VMDeleteOperation.Request, _ vm: VM) -> [String] {
        let power = vm.state == .running || vm.state == .paused ? ["power it off"] : []
        return power + ["undefine domain \"\(vm.name)\""] + request.disks.map { "remove \($0)" }
            + (request.frees ?? []).map { "keep \($0.reservation.address) for it no more" }
            + vm.disks.compactMap(\.path).filter { path in
                !request.disks.contains(path) && !path.hasPrefix(environment.state.path + "/seeds/")
            }.map { "keep \($0)" }
    }

    /// Starts a VM, or lets a suspended one go on.
    public func start(_ reference: Reference, _ start: VMStart, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let rescue = try await rescue(start, reference, context)
        return try await power(
            .start(
                paused: start.paused ?? false, discardState: start.discardState ?? false, rescue: rescue),
            reference, context)
    }

    /// Stops a VM.
    public func stop(_ reference: Reference, _ stop: VMStop, _ context: RequestContext) async throws
        -> Accepted
    {
        let force = stop.force ?? false
        try check(grace: stop.graceSeconds)
        return try await power(
            .stop(graceSeconds: stop.graceSeconds ?? (force ? 0 : 60), force: force), reference, context)
    }

    /// Stops and starts a VM.
    public func restart(
        _ reference: Reference, _ restart: VMRestart, _ context: RequestContext
    ) async throws -> Accepted {
        let force = restart.force ?? false
        try check(grace: restart.graceSeconds)
        return try await power(
            .restart(graceSeconds: restart.graceSeconds ?? (force ? 0 : 60), force: force), reference, context
        )
    }

    /// The reset button.
    public func reset(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        try await power(.reset, reference, context)
    }

    /// Halts the CPUs.
    public func pause(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        try await power(.pause, reference, context)
    }

    /// Lets the CPUs go on.
    public func resume(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        try await power(.resume, reference, context)
    }

    /// Saves the memory on the disk, and powers it off; the next start goes on from there.
    public func suspend(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        try await power(.suspend, reference, context)
    }

    private func check(grace: Int?) throws {
        let range = Limits.graceSeconds
        guard let grace, !range.contains(grace) else { return }
        let problem = "from \(range.lowerBound) to \(range.upperBound)"
        throw Problem(
            .requestInvalid, "graceSeconds: \(problem)", errors: [FieldProblem("graceSeconds", problem)])
    }

    /// - Parameter reserve: what else is written when it is accepted; without it that somebody has decided
    ///   what becomes of a VM that had crashed.
    func power(
        _ change: PowerChange, _ reference: Reference, _ context: RequestContext,
        reserve: (@Sendable (Transaction) throws -> Void)? = nil
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let row = try await current(reference, context)
        try change.refuse(in: try row.value().state, name: row.name)
        _ = try environment.hypervisor.connection()
        let request = VMPowerOperation.Request(vm: row.reference, change: change)
        return try await act(
            VMPowerOperation.self, request, Claim.exclusive(row.id, .power), row, context, [change.sentence],
            reserve: reserve ?? { if change.decides { try $0.forgetCrashes(row.id) } })
    }

    func act<Kind: OperationKind>(
        _ kind: Kind.Type, _ request: Kind.Request, _ claims: [Claim], _ row: VMRow,
        _ context: RequestContext,
        _ changes: [String], reserve: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Accepted {
        guard !context.dryRun else {
            return .preview(Preview(action: context.action, target: row.name, changes: changes))
        }
        let new = try NewOperation(
            kind, request, resources: [row.reference], claims: claims, requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: row.name, reserve: reserve)
    }

    /// The row, provided that it is what the caller has seen.
    func current(_ reference: Reference, _ context: RequestContext) async throws -> VMRow {
        let row = try await row(reference)
        try Revision.check(context.ifMatch, row.etag, "VM \(row.name)")
        return row
    }

    /// The row of a VM that bears our mark.
    func managed(_ reference: Reference, _ context: RequestContext) async throws -> (VMRow, VM) {
        let row = try await current(reference, context)
        let vm = try row.value()
        guard vm.managed else {
            throw Problem(
                .vmForeign, "VM \(shown(row.name)) was not made by this vctl, which does not change it",
                hint: "vctl vm adopt \(shown(row.name))")
        }
        return (row, vm)
    }
}

/// Entity tags.
enum Revision {
    /// - Throws: ``Problem`` `revision.stale` when the caller has seen an older revision.
    static func check(_ ifMatch: String?, _ etag: String, _ what: String) throws {
        guard let ifMatch, ifMatch != "*" else { return }
        let tags = ifMatch.split(separator: ",").map { $0.trimmingSpaces }
        guard tags.contains(etag) else {
            throw Problem(
                .revisionStale,
                "\(what) changed meanwhile: its ETag is \(etag), and If-Match is \(shown(ifMatch))",
                hint: "read it again, and repeat the change on what it is now")
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        let start = drop { $0 == " " || $0 == "\t" }
        return String(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
