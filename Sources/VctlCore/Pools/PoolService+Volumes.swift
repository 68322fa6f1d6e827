// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI

extension PoolService {
    /// A page of volumes, by pool and name.
    /// - Parameter pool: only those of this one.
    public func volumes(of pool: Reference?, _ query: ListQuery) async throws -> Rendered {
        if let pool { await seek(pool) }
        return try await inventory.read { db in
            let id = try pool.map { try PoolStore.get(db, $0).id }
            let page = try VolumeStore.page(db, of: id, query)
            return Rendered(json: try FieldFilter.array(page.texts, query.fields, db), next: page.next)
        }
    }

    /// One volume.
    /// - Throws: ``Problem`` `pool.notFound`, `volume.notFound`.
    public func showVolume(_ pool: Reference, _ name: String) async throws -> Rendered {
        await seek(pool)
        return try await inventory.read { db in
            let row = try VolumeStore.get(db, try PoolStore.get(db, pool), name)
            var volume = try row.value()
            volume.usedBy = try VolumeUsers.byPath(db)[ExactName(volume.path)] ?? []
            return Rendered(json: try JSON.text(volume), etag: row.etag)
        }
    }

    /// Accepts a new volume, in a pool of whomever.
    /// - Throws: ``Problem`` `volume.exists`, `pool.state`, `storage.full`.
    public func createVolume(_ pool: Reference, _ create: VolumeCreate, _ context: RequestContext)
        async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try VMRules.refuse(PoolRules.problems(create))
        let (row, folder) = try await writable(pool)
        let path = "\(folder)/\(create.name)"
        try await refuseTaken(path, "\(row.name)/\(create.name)")
        let request = self.request(create, row, folder, context)
        let bytes = create.sizeBytes.bytes
        if [.falloc, .full].contains(request.volume.preallocation) {
            try await Blocking.run { try FreeSpace.require(bytes, at: path, for: "a preallocated volume") }
        }
        let mark = request.mark
        return try await accept(
            request, row, context, "make \(path): \(mark.format.rawValue), \(ByteCount.human(bytes))")
    }

    /// Reserves the name, and makes the volume.
    /// - Parameter claims: what must stay as it is meanwhile.
    func accept(
        _ request: VolumeCreateOperation.Request, _ row: PoolRow, _ context: RequestContext,
        _ change: String, claims: [Claim] = []
    ) async throws -> Accepted {
        let mark = request.mark
        let name = "\(row.name)/\(mark.name)"
        guard !context.dryRun else {
            return .preview(Preview(action: context.action, target: name, changes: [change]))
        }
        let own = Claim.named([mark.path]) + Claim.shared(row.id, .disks)
        let new = try NewOperation(
            VolumeCreateOperation.self, request,
            resources: [ObjectReference(kind: .volume, id: mark.id, name: name)], claims: own + claims,
            requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: name) { transaction in
            try Self.refuseChanged(row, transaction.db)
            guard try VolumeStore.find(transaction.db, row.id, mark.name) == nil else {
                throw Self.taken(name)
            }
            try transaction.store(.missing(mark, in: row.name, .creating), of: row.id, mark)
        }
    }

    /// Since it was looked at the pool may have gone, or another may have its name: an upload takes its time.
    private static func refuseChanged(_ before: PoolRow, _ db: Database) throws {
        let (now, then) = (try PoolStore.get(db, .id(before.id)).value(), try before.value())
        guard now.state == .running, now.target == then.target, now.name == then.name else {
            throw Problem(
                .poolState, "pool \(shown(then.name)) has changed meanwhile, or does not run any more",
                hint: "vctl pool show \(shown(now.name))")
        }
    }

    func request(
        _ create: VolumeCreate, _ row: PoolRow, _ folder: String, _ context: RequestContext
    ) -> VolumeCreateOperation.Request {
        let format = create.format ?? .qcow2
        let name = create.name.rawValue
        var mark = KeptVolume(pool: row.id, name: name, path: "\(folder)/\(name)", format: format)
        (mark.labels, mark.createdAt) = (create.labels ?? [:], .now)
        mark.creator = context.caller.user ?? "uid \(context.caller.uid)"
        let id = ObjectID()
        let volume = NewVolume(
            id: id, path: "\(folder)/\(VolumeFiles.unfinished)\(id)", format: format,
            sizeBytes: create.sizeBytes.bytes, preallocation: create.preallocation ?? .off)
        return .init(pool: row.reference, mark: mark, volume: volume)
    }

    func refuseTaken(_ path: String, _ name: String) async throws {
        let isThere = try await environment.looks.ask(RealPath.folder(of: path)) { () -> Bool in
            var status = stat()
            return lstat(path, &status) == 0
        }
        if isThere { throw Self.taken(name) }
    }

    private static func taken(_ name: String) -> Problem {
        Problem(
            .volumeExists, "there is a volume \(shown(name)) already", hint: "vctl volume show \(shown(name))"
        )
    }

    /// The same of a pool in which volumes are made, of whomever.
    /// - Throws: ``Problem`` `path.forbidden`.
    func writable(_ reference: Reference) async throws -> (PoolRow, String) {
        let (row, folder) = try await usable(reference)
        try await refusePlace(of: try row.value())
        return (row, folder)
    }

    /// The pool as it is now, and the folder for its volumes.
    func usable(_ reference: Reference) async throws -> (PoolRow, String) {
        _ = try environment.hypervisor.connection()
        let id: ObjectID
        do {
            id = try await known(reference)
            try await environment.pools.refresh(id)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        let row = try await inventory.read { try PoolStore.get($0, .id(id)) }
        let pool = try row.value()
        guard pool.state == .running else {
            let (name, why) = (shown(row.name), pool.problem.map { ": \($0)" } ?? "")
            throw Problem(
                .poolState, "pool \(name) is \(pool.state.rawValue)\(why)",
                hint: pool.state == .stopped ? "vctl pool start \(name)" : "vctl pool show \(name)")
        }
        guard let folder = PoolProjection.folder(of: pool) else {
            throw Problem(
                .requestInvalid,
                "pool \(shown(row.name)) is of type \(shown(pool.backend)), and its volumes are no files",
                hint: "virsh vol-list \(shown(row.name))")
        }
        // As disks of VMs are named, too.
        return (row, try await environment.looks.ask(folder) { RealPath.of(folder) })
    }

    /// The volume that a change is about, as it is now.
    func changeable(
        _ pool: Reference, _ name: String, _ context: RequestContext
    ) async throws -> (PoolRow, VolumeRow, Volume) {
        let (row, _) = try await usable(pool)
        let found = try await inventory.read { try VolumeStore.get($0, row, name) }
        let volume = try found.value()
        try Revision.check(context.ifMatch, found.etag, "volume \(volume.fullName)")
        guard try found.mark != nil || row.value().managed else {
            throw Problem(
                .volumeForeign,
                "neither volume \(shown(volume.fullName)) nor its pool is this vctl's",
                hint: "vctl pool adopt \(shown(row.name))")
        }
        guard found.mark != nil || context.caller.role == .admin else {
            throw Self.forAdmins(volume)
        }
        if found.mark == nil { try await refusePlace(of: try row.value()) }
        return (row, found, volume)
    }

    static func forAdmins(_ volume: Volume) -> Problem {
        Problem(
            .permissionDenied, "volume \(shown(volume.fullName)) was not made by vctl: that is for admins",
            hint: "vctl volume show \(shown(volume.fullName)) says who made it")
    }

    /// Makes a volume another size: smaller only with force, and never so that data are lost.
    /// - Throws: ``Problem`` `volume.inUse`, `volume.shrink`.
    public func resizeVolume(
        _ pool: Reference, _ name: String, _ resize: VolumeResize, _ context: RequestContext
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let bytes = resize.sizeBytes.bytes
        try VMRules.refuse(PoolRules.sizeProblems(bytes))
        let (row, found, volume) = try await changeable(pool, name, context)
        let guards = VolumeGuards(environment: environment)
        let file = try await present(volume, found)
        let user = try await guards.refuseResize(volume.path, volume.called, to: bytes)
        let format = try Self.format(user?.format ?? volume.format, volume, "keeps its size")
        try await guards.refuseForeignBacking(
            volume.path, volume.fullName, format, isKnown: volume.managed || user != nil || context.force)
        try await Blocking.run { try VolumeGuards.refuseBusy(file) }
        let image = QemuImg.Image(path: volume.path, format: format)
        let now = try await QemuImg.info(image).virtualSizeBytes
        let name = shown(volume.fullName)
        if bytes < now {
            guard context.force else {
                throw Problem(
                    .volumeShrink, "volume \(name) has \(ByteCount.human(now)): what is behind would be lost",
                    hint: "vctl volume resize \(name) \(bytes) --force, which never cuts off data")
            }
            try await VolumeGuards.refuseLoss(of: image, volume.called, at: bytes)
        }
        let request = VolumeResizeOperation.Request(
            pool: row.reference, volume: volume.reference, file: file, format: format, bytes: bytes,
            shrinks: bytes < now)
        let change = "change its size from \(ByteCount.human(now)) to \(ByteCount.human(bytes))"
        return try await act(
            VolumeResizeOperation.self, request, row, volume, context, [change], keeping: user)
    }

    /// What QEMU is to open it as.
    static func format(_ said: String?, _ volume: Volume, _ fate: String) throws -> DiskFormat {
        if let said, let format = DiskFormat(rawValue: said), format == .qcow2 || format == .raw {
            return format
        }
        let what = said.map { shown($0) } ?? "of no known format"
        throw Problem(
            .volumeState, "volume \(shown(volume.fullName)) is \(what), and \(fate)",
            hint: "vctl image import NAME \(shown(volume.path))")
    }

    /// The file of a volume that is there.
    /// - Throws: ``Problem`` `volume.state` where it is gone, or another file has its place.
    func present(_ volume: Volume, _ row: VolumeRow) async throws -> KnownFile {
        let path = volume.path
        let there = try await environment.looks.ask(RealPath.folder(of: path)) { KnownFile(path: path) }
        guard volume.state == .present, let file = there else {
            let name = shown(volume.fullName)
            let what = volume.state == .present ? "missing" : volume.state.rawValue
            let forget = row.mark == nil ? "" : "; vctl volume delete \(name) forgets it, and removes nothing"
            guard volume.state != .unproven else { throw Self.unproven(volume) }
            throw Problem(
                .volumeState, "volume \(name) is \(what)", hint: "vctl volume show \(name)\(forget)")
        }
        guard let mark = row.mark else { return file }
        switch mark.file?.likeness(to: file.identity) ?? .other {
        case .same: return file
        case .other: throw ImageLock.replaced(file.path)
        case .unproven: throw Self.unproven(volume)
        }
    }

    private static func unproven(_ volume: Volume) -> Problem {
        let name = shown(volume.fullName)
        return Problem(
            .volumeState,
            "nothing tells whether \(shown(volume.path)) is still the file that vctl made as volume \(name):"
                + " its file system does not say when a file was made",
            hint: "vctl volume delete \(name) forgets that vctl made it and keeps the file, which admins can"
                + " change then in a pool of vctl")
    }

    /// Deletes a volume that nobody needs, with its data. One that is missing is forgotten, and so is one
    /// that has another file at its place; that file stays.
    /// - Throws: ``Problem`` `volume.inUse`, `volume.foreign`.
    public func deleteVolume(_ pool: Reference, _ name: String, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, found, volume) = try await changeable(pool, name, context)
        var request = VolumeDeleteOperation.Request(
            pool: row.reference, volume: volume.reference, name: volume.name, mark: found.mark?.id)
        if volume.state == .present {
            let file = try await present(volume, found)
            try await users.refuseUsed(volume.path, volume.called)
            request.file = file
        }
        let change =
            switch volume.state {
            case .missing: "forget it; it is gone already"
            case .replaced: "forget it; keep \(volume.path), which is another file"
            case .unproven: "forget it; keep \(volume.path), which may be another file"
            case .creating, .present: "remove \(volume.path)"
            }
        return try await act(VolumeDeleteOperation.self, request, row, volume, context, [change])
    }

    /// Accepts a change of a volume's file, which nobody else may take meanwhile.
    /// - Parameter user: the VM that has it as a disk, and must stay off.
    func act<Kind: OperationKind>(
        _ kind: Kind.Type, _ request: Kind.Request, _ row: PoolRow, _ volume: Volume,
        _ context: RequestContext, _ changes: [String], keeping user: VolumeUser? = nil
    ) async throws -> Accepted {
        guard !context.dryRun else {
            return .preview(Preview(action: context.action, target: volume.fullName, changes: changes))
        }
        let new = try NewOperation(
            kind, request, resources: [volume.reference],
            claims: Claim.named([volume.path]) + Claim.shared(row.id, .disks) + Claim.off(user),
            requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: volume.fullName)
    }
}
