// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

extension PoolService {
    /// Makes a volume from another one that no running VM has.
    /// - Throws: ``Problem`` `volume.inUse`, `volume.exists`, `image.backingFile`.
    public func cloneVolume(
        _ pool: Reference, _ name: String, _ clone: VolumeClone, _ context: RequestContext
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (home, source) = try await source(pool, name, context)
        let linked = clone.clone == .linked
        let (image, user) = try await self.image(of: source, linked: linked, force: context.force)
        let size = try await QemuImg.info(image).virtualSizeBytes
        var create = VolumeCreate(name: clone.name, sizeBytes: try ByteCount(bytes: size))
        (create.format, create.labels) = (clone.format ?? (linked ? .qcow2 : image.format), clone.labels)
        var problems = PoolRules.problems(create)
        if linked, create.format == .raw {
            problems.append(
                FieldProblem("format", "a linked clone is qcow2, which alone can read from another"))
        }
        try VMRules.refuse(problems)
        let (row, folder) = try await writable(clone.pool ?? pool)
        try await refuseTaken("\(folder)/\(create.name)", "\(row.name)/\(create.name)")
        var request = self.request(create, row, folder, context)
        request.volume.source = .init(path: image.path, format: image.format, linked: linked)
        if linked { request.mark.backing = image.path }
        request.source = source.reference
        if !linked {
            let needed = try await QemuImg.measure(image, as: request.mark.format).required
            let path = request.mark.path
            try await Blocking.run { try FreeSpace.require(needed, at: path, for: "the clone") }
        }
        let how = linked ? "as a linked clone of" : "as a copy of"
        return try await accept(
            request, row, context, "make \(request.mark.path) \(how) \(image.path)",
            claims: Claim.shared(source.id, .disks) + Claim.off(user)
                + (home.id == row.id ? [] : Claim.shared(home.id, .disks)))
    }

    /// The volume that something is made from or read out of.
    private func source(
        _ pool: Reference, _ name: String, _ context: RequestContext
    ) async throws -> (PoolRow, Volume) {
        let (row, _) = try await usable(pool)
        let found = try await inventory.read { try VolumeStore.get($0, row, name) }
        let volume = try found.value()
        guard found.mark != nil || context.caller.role == .admin else { throw Self.forAdmins(volume) }
        _ = try await present(volume, found)
        return (row, volume)
    }

    /// What QEMU is to open it as, and the VM that has it and is off.
    private func image(of volume: Volume, linked: Bool, force: Bool) async throws -> (
        QemuImg.Image, VolumeUser?
    ) {
        let guards = VolumeGuards(environment: environment)
        let user = try await guards.refuseReading(volume, forGood: linked)
        let format = try Self.format(user?.format ?? volume.format, volume, "is not copied")
        try await guards.refuseForeignBacking(
            volume.path, volume.fullName, format, isKnown: volume.managed || user != nil || force)
        return (.init(path: volume.path, format: format), user)
    }

    /// Lets a volume stand alone.
    /// - Throws: ``Problem`` `volume.inUse`.
    public func flattenVolume(_ pool: Reference, _ name: String, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, found, volume) = try await changeable(pool, name, context)
        let file = try await present(volume, found)
        let guards = VolumeGuards(environment: environment)
        let user = try await guards.refuseFlatten(
            volume.path, volume.called, to: volume.capacityBytes ?? 0)
        let format = try Self.format(user?.format ?? volume.format, volume, "stays as it is")
        guard format == .qcow2, let backing = volume.backing else {
            throw Problem(
                .volumeState, "volume \(shown(volume.fullName)) reads from no other file",
                hint: "vctl volume show \(shown(volume.fullName))")
        }
        try await guards.refuseForeignBacking(
            volume.path, volume.fullName, format, isKnown: volume.managed || user != nil || context.force)
        let change = "take in what it reads from \(backing)"
        return try await rewrite(.flatten, file, format, row, volume, context, change, user)
    }

    /// Overwrites all data of a volume that nobody needs; it stays, and is empty.
    /// - Throws: ``Problem`` `volume.inUse`.
    public func wipeVolume(_ pool: Reference, _ name: String, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, found, volume) = try await changeable(pool, name, context)
        let file = try await present(volume, found)
        try await users.refuseUsed(volume.path, volume.called)
        let said = found.mark?.format.rawValue ?? volume.format
        let format = try Self.format(said, volume, "stays as it is")
        var whole = volume
        // An earlier one may have been broken off when nothing but zeroes was left.
        if let bytes = found.mark?.wiping { whole.capacityBytes = bytes }
        let change = "overwrite \(volume.path) with zeroes"
        return try await rewrite(.wipe, file, format, row, whole, context, change, nil)
    }

    private func rewrite(
        _ action: VolumeRewriteOperation.Action, _ file: KnownFile, _ format: DiskFormat, _ row: PoolRow,
        _ volume: Volume, _ context: RequestContext, _ change: String, _ user: VolumeUser?
    ) async throws -> Accepted {
        let size = try await Blocking.run {
            try VolumeGuards.refuseBusy(file)
            return FileStamp(path: file.path)?.size
        }
        let bytes = format == .qcow2 ? volume.capacityBytes : size
        let request = VolumeRewriteOperation.Request(
            pool: row.reference, volume: volume.reference, file: file, format: format, bytes: bytes ?? 0,
            action: action)
        return try await act(
            VolumeRewriteOperation.self, request, row, volume, context, [change], keeping: user)
    }

    /// The bytes of a volume that no running VM has, as they lie there.
    /// - Throws: ``Problem`` `volume.inUse`; `volume.state` where it reads from another.
    public func volumeContent(_ pool: Reference, _ name: String, _ context: RequestContext) async throws
        -> ImageContent
    {
        let (_, volume) = try await source(pool, name, context)
        try await VolumeGuards(environment: environment).refuseReading(volume, forGood: false)
        if let backing = volume.backing {
            let full = shown(volume.fullName)
            throw Problem(
                .volumeState, "volume \(full) is a part only: it reads from \(shown(backing))",
                hint: "vctl volume flatten \(full), or vctl volume clone \(full) POOL/NAME --full")
        }
        return try await Blocking.run { try ImageContent(path: volume.path, isHeldStill: true) }
    }
}
