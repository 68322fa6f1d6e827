// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI

extension PoolService {
    /// Changes what the patch names.
    public func set(_ reference: Reference, _ patch: PoolPatch, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try VMRules.refuse(PoolRules.problems(patch))
        let (row, pool) = try await managed(reference, context)
        var mark = row.mark ?? KeptPool(id: row.id, name: row.name)
        mark.labels = VMService.merged(mark.labels, patch.labels ?? [:])
        try VMRules.refuse(LabelRules.problems(count: mark.labels.count))
        if let protected = patch.protected { mark.protected = protected }
        var request = PoolMarkOperation.Request(pool: row.reference, before: row.mark, after: mark)
        var changes = (patch.labels ?? [:]).sorted { $0.key < $1.key }.map { key, value in
            value.map { "set label \(key)=\($0)" } ?? "remove label \(key)"
        }
        if mark.protected != pool.protected {
            changes.append(mark.protected ? "protect it" : "no longer protect it")
        }
        if let autostart = patch.autostart, autostart != pool.autostart {
            request.autostart = autostart
            changes.append(autostart ? "start it with the host" : "no longer start it with the host")
        }
        return try await act(
            PoolMarkOperation.self, request, row, context, changes,
            holding: Claim.exclusive(row.id, .definition))
    }

    /// Starts a pool; one that runs already is as it should be.
    public func start(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, pool) = try await managed(reference, context)
        let change = pool.state == .running ? "nothing; it runs already" : "start it"
        return try await power(.start, row, context, [change])
    }

    /// Stops a pool; with disks of running VMs in it only with force. One that is stopped is as it should be.
    public func stop(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, pool) = try await managed(reference, context)
        guard pool.state != .stopped else {
            return try await power(.stop, row, context, ["nothing; it does not run"])
        }
        if !context.force {
            let running = try await users.ofPool(row.reference, folder: pool.target, running: true)
            guard running.isEmpty else { throw Self.stopping(row.name, running) }
        }
        return try await power(.stop, row, context, ["stop it; its data stay"])
    }

    static func stopping(_ pool: String, _ running: [String]) -> Problem {
        var problem = used(pool, running)
        problem.hint = "vctl pool stop \(shown(pool)) --force"
        return problem
    }

    /// Lets libvirt look again at what is in it, whoever made it; with force at the directory that is there
    /// now, whichever that is.
    public func refresh(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, pool) = try await current(reference, context)
        guard pool.state == .running || (context.force && pool.state == .missing) else {
            let name = shown(row.name)
            throw Problem(
                .poolState, pool.problem.map { "pool \(name): \($0)" } ?? "pool \(name) does not run",
                hint: pool.state == .missing
                    ? "mount it; or vctl pool refresh \(name) --force takes the directory as it is now"
                    : "vctl pool start \(name)")
        }
        let change =
            context.force ? "take the directory that is there now" : "look at its volumes again"
        return try await power(.refresh, row, context, [change])
    }

    private func power(
        _ action: PoolPowerOperation.Action, _ row: PoolRow, _ context: RequestContext, _ changes: [String]
    ) async throws -> Accepted {
        var request = PoolPowerOperation.Request(pool: row.reference, action: action)
        if context.force { request.force = true }
        // Disks may be made in it while libvirt looks, but not while it starts or stops.
        let holding = action == .refresh ? Claim.exclusive(row.id, .power) : nil
        return try await act(PoolPowerOperation.self, request, row, context, changes, holding: holding)
    }

    /// Takes over a pool that somebody else made. libvirt's definition stays as it is.
    /// - Throws: ``Problem`` `pool.transient`.
    public func adopt(_ reference: Reference, _ adopt: PoolAdopt, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try VMRules.refuse(LabelRules.problems(adopt.labels ?? [:]))
        let (row, pool) = try await current(reference, context)
        try await refusePlace(of: pool)
        do {
            guard try await effects.existing(row.id).isPersistent() else { throw Self.transient(row.name) }
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        var mark = row.mark ?? KeptPool(id: row.id, name: row.name)
        if row.mark == nil {
            mark.adoptedAt = .now
            mark.adopter = context.caller.user ?? "uid \(context.caller.uid)"
        }
        mark.labels.merge(adopt.labels ?? [:]) { $1 }
        try VMRules.refuse(LabelRules.problems(count: mark.labels.count))
        let request = PoolMarkOperation.Request(pool: row.reference, before: row.mark, after: mark)
        let change = "keep pool \"\(row.name)\" as this vctl's, and change nothing else"
        return try await act(
            PoolMarkOperation.self, request, row, context, [change],
            holding: Claim.exclusive(row.id, .definition))
    }

    /// Gives a pool back to whoever wants it.
    /// - Throws: ``Problem`` `pool.foreign`.
    public func release(_ reference: Reference, _ context: RequestContext) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, _) = try await current(reference, context)
        guard let mark = row.mark else {
            throw Problem(
                .poolForeign, "pool \(shown(row.name)) was neither made nor adopted by this vctl",
                hint: "vctl pool list")
        }
        let request = PoolMarkOperation.Request(pool: row.reference, before: mark, after: nil)
        let change = "no longer keep pool \"\(row.name)\" as this vctl's, and change nothing else"
        return try await act(
            PoolMarkOperation.self, request, row, context, [change],
            holding: Claim.exclusive(row.id, .definition))
    }

    private static func transient(_ name: String) -> Problem {
        let name = shown(name)
        return Problem(
            .poolTransient,
            "pool \(name) is transient: libvirt keeps no definition of it, and forgets it when it stops",
            hint: "virsh pool-dumpxml \(name) > pool.xml && virsh pool-define pool.xml makes it persistent")
    }

    /// Deletes a pool in which no VM has a disk. What is in it stays.
    /// - Parameter withData: delete its volumes, too; those that vctl did not make only with force.
    /// - Throws: ``Problem`` `pool.inUse` naming the VMs, `pool.protected`, `pool.foreign`.
    public func delete(_ reference: Reference, withData: Bool, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, pool) = try await managed(reference, context)
        let name = shown(row.name)
        // One word must not answer two questions: with its data goes only what was set free before.
        guard !pool.protected || (context.force && !withData) else {
            let force = withData ? "" : ", or vctl pool delete \(name) --force"
            throw Problem(
                .poolProtected, "pool \(name) is protected",
                hint: "vctl pool set \(name) --no-protect\(force)")
        }
        if withData { try await refuseLoss(row, pool) }
        let users = try await users.ofPool(row.reference, folder: pool.target)
        guard users.isEmpty else { throw Self.used(row.name, users) }
        let volumes = try await inventory.read { try VolumeStore.all($0, of: row.id) }
        if let busy = volumes.compactMap(\.operation).first {
            throw Problem(
                .poolBusy, "operation \(busy) is working on a volume of pool \(name)",
                hint: "vctl operation wait \(busy)", operation: busy)
        }
        let files = withData ? try await self.files(of: volumes, in: row, context) : []
        var request = PoolDeleteOperation.Request(
            pool: row.reference, files: files, folders: row.mark?.folders ?? [],
            volumes: volumes.compactMap(\.mark).map(\.id), target: pool.target)
        if context.force {
            request.force = true
        } else {
            let link = try await inventory.read {
                try VolumeStore.links($0, outOf: row.id, besides: files.map(\.path)).first
            }
            if let link { throw Self.linked(row.name, link) }
        }
        let what =
            withData ? files.map { "remove \($0.path)" } : ["keep what is in \(pool.target ?? "it")"]
        let stop = pool.state == .running ? ["stop it"] : []
        return try await act(
            PoolDeleteOperation.self, request, row, context, what + stop + ["undefine pool \"\(row.name)\""],
            claims: Claim.named(files.map(\.path)))
    }

    /// Who removes what a volume reads from is refused as long as the volume is known.
    static func linked(_ pool: String, _ link: VolumeLink) -> Problem {
        let volume = shown(link.volume)
        return Problem(
            .poolInUse,
            "volume \(volume) reads from \(shown(link.backing)), which nobody would keep for it any more",
            hint: "vctl volume flatten \(volume), or vctl pool delete \(shown(pool)) --force")
    }

    /// Only of a directory that is kept as ours it is known which files are the pool's. What others are made
    /// of, volume groups and targets, is more than their volumes; and VMs' own disks go with their VMs.
    private func refuseLoss(_ row: PoolRow, _ pool: Pool) async throws {
        let name = shown(row.name)
        let folder = environment.state.volumes
        guard pool.type == .dir, row.mark != nil, let target = pool.target,
            try await !environment.looks.ask(target, { SameFiles([folder]).contains(target) })
        else {
            throw Problem(
                .poolForeign,
                "pool \(name) is of type \(shown(pool.backend)), and vctl deletes the data of directories"
                    + " alone that it has made or adopted, and never its own folder",
                hint: "vctl pool delete \(name) keeps the data; virsh vol-list \(name) shows what is in it")
        }
        guard pool.state == .running || pool.state == .stopped else {
            throw Problem(
                .poolState, "pool \(name) is \(pool.state.rawValue), and nobody can see what is in it",
                hint: "vctl pool delete \(name) keeps the data")
        }
        try await refusePlace(of: pool)
    }

    /// The files that go with a pool.
    private func files(
        of volumes: [VolumeRow], in row: PoolRow, _ context: RequestContext
    ) async throws -> [KnownFile] {
        let name = shown(row.name)
        let values = try volumes.map { (row: $0, volume: try $0.value()) }.filter {
            $0.volume.state != .missing
        }
        // What has come to the place of a volume of ours is as foreign as what never was one.
        let foreign = values.filter { !$0.volume.managed || $0.volume.state != .present }
        guard foreign.isEmpty || context.force else {
            let more = foreign.count > 5 ? " and \(foreign.count - 5) more" : ""
            let some = foreign.prefix(5).map { shown($0.volume.name) }.joined(separator: ", ") + more
            throw Problem(
                .volumeForeign, "pool \(name) has volumes that vctl did not make: \(some)",
                hint: "vctl pool delete \(name) --with-data --force deletes them, too")
        }
        var files: [KnownFile] = []
        for value in values where value.volume.state == .present {
            files.append(try await present(value.volume, value.row))
        }
        try await users.refuseNeeded(files.map(\.path))
        return files
    }
}
