// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI
import VirtXML

/// Decides where a new VM's disks go, and what they are made from.
struct DiskPlanner: Sendable {
    struct Result: Sendable {
        var disks: [DomainPlan.Disk] = []
        var volumes: [NewVolume] = []
        var pool: NewPool?
        /// The image that an existing disk reads from.
        var image: UsableImage?
        var targets = Minting.Targets()
        /// That the pools which there were before stay as they are.
        var pools: Set<Claim> = []

        /// The files that will be made, which nobody else makes, and their pools.
        var claims: [Claim] { Claim.named(volumes.map(\.path)) + pools }

        /// The drive for the seed, behind all disks.
        func seed(_ path: String) -> DomainPlan.Disk {
            var next = targets
            return .seed(path: path, target: next.next(.scsi), serial: "cidata")
        }
    }

    let environment: VMEnvironment
    let connection: Connection

    func plan(_ create: VMCreate, image: UsableImage?, vm: ObjectID, caller: Caller) async throws -> Result {
        var result = Result()
        var specs = create.disks ?? []
        if let image {
            try await root(specs.first ?? DiskSpec(), image, create, vm, &result)
            specs = Array(specs.dropFirst())
        }
        if let path = create.import { try await existing(path, caller, &result) }
        for spec in specs { try await empty(spec, create, vm, &result) }
        if let path = create.cdrom { try cdrom(path, caller, &result) }
        numberBootOrder(&result, hasKernel: create.kernel != nil)
        try await checkSpace(result)
        return result
    }

    /// One more disk for a VM that exists.
    func addition(_ request: VMDiskAdd, to vm: VM, caller: Caller) async throws -> Result {
        var result = Result()
        // One may be only in what is saved, and wait for the next start.
        let saved = try DomainXML(parsing: try await connection.domain(uuid: vm.id.uuid).xml(.inactive))
        let used = vm.disks.map(\.target) + saved.disks.compactMap(\.targetDev)
        result.targets = Minting.Targets(used: used)
        if let path = request.path {
            try await existing(path, caller, &result)
            result.disks[0].role = .data
            if let bus = request.bus { result.disks[0].bus = bus }
            var targets = Minting.Targets(used: used)
            result.disks[0].target = targets.next(result.disks[0].bus)
            result.disks[0].readOnly = request.readOnly ?? false
        } else {
            let name = (try? Name(vm.name))?.rawValue ?? "vm-\(vm.id.short)"
            let spec = request.spec
            let volume = try await volume(
                spec, of: name, spec.format ?? .qcow2, spec.sizeBytes?.bytes ?? 0, &result)
            add(volume, .data, spec, &result)
        }
        try await checkSpace(result)
        return result
    }

    private func root(
        _ spec: DiskSpec, _ image: UsableImage, _ create: VMCreate, _ vm: ObjectID, _ result: inout Result
    ) async throws {
        let size = spec.sizeBytes?.bytes ?? image.sizeBytes
        guard size >= image.sizeBytes else {
            let least = ByteCount.human(image.sizeBytes)
            throw Problem(
                .requestInvalid, "disks[0].sizeBytes: image \(image.name) needs at least \(least)",
                errors: [FieldProblem("disks[0].sizeBytes", "at least \(image.sizeBytes)")])
        }
        let linked = create.clone != .full
        let format = linked ? .qcow2 : spec.format ?? .qcow2
        var volume = try await volume(spec, of: create.name.rawValue, format, size, &result)
        volume.source = .init(path: image.path, format: image.format, linked: linked)
        add(volume, .root, spec, &result)
    }

    private func empty(
        _ spec: DiskSpec, _ create: VMCreate, _ vm: ObjectID, _ result: inout Result
    ) async throws {
        let volume = try await volume(
            spec, of: create.name.rawValue, spec.format ?? .qcow2, spec.sizeBytes?.bytes ?? 0, &result)
        add(volume, result.disks.isEmpty ? .root : .data, spec, &result)
    }

    /// A disk for the VM of that name, at a path that is free.
    func volume(
        _ spec: DiskSpec, of vm: String, _ format: DiskFormat, _ size: Int64, _ result: inout Result
    ) async throws -> NewVolume {
        let id = ObjectID()
        let directory = try await directory(of: spec.pool ?? .name("default"), &result)
        let path = "\(directory)/\(vm)-\(result.volumes.count)-\(id.short).\(format.rawValue)"
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Problem(.volumeInUse, "there is a file at \(path) already", hint: "try again")
        }
        return NewVolume(
            id: id, path: path, format: format, sizeBytes: size, preallocation: spec.preallocation ?? .off)
    }

    private func add(_ volume: NewVolume, _ role: DomainPlan.Role, _ spec: DiskSpec, _ result: inout Result) {
        let bus = spec.bus ?? .virtio
        var disk = DomainPlan.Disk(
            role: role, path: volume.path, format: volume.format, bus: bus, target: result.targets.next(bus),
            serial: Minting.serial(volume: volume.id))
        disk.volume = volume.id
        disk.preallocated = volume.preallocation == .falloc || volume.preallocation == .full
        result.disks.append(disk)
        result.volumes.append(volume)
    }

    private func existing(_ path: String, _ caller: Caller, _ result: inout Result) async throws {
        let paths = HostPaths(allowed: environment.allowedPaths)
        let real = try await environment.looks.ask(path) {
            try paths.resolve(path, field: "import", caller: caller)
        }
        try await VolumeUsers(environment: environment).refuseNeeded([real])
        let format = try await usableFormat(real, &result)
        guard format == .qcow2 || format == .raw else {
            throw Problem(
                .imageFormat, "import: \(shown(real)) is \(format.rawValue); a VM's disk is qcow2 or raw",
                hint: "vctl image import NAME \(shown(real))")
        }
        var disk = DomainPlan.Disk(
            role: .root, path: real, format: format, bus: .virtio, target: result.targets.next(.virtio),
            serial: Minting.serial(volume: ObjectID()))
        disk.source = HostPaths.isBlockDevice(real) ? .block : .file
        result.disks.append(disk)
    }

    /// The format of a file that stands alone, or reads from one of our images and nothing else: that is what
    /// a linked VM leaves when its disks are kept. A volume of ours may read from others of ours.
    private func usableFormat(_ real: String, _ result: inout Result) async throws -> DiskFormat {
        let mark = try await environment.inventory.read { try VolumeStore.mark($0, path: real) }
        // What a guest wrote into a raw volume says nothing, whatever it looks like.
        if mark?.format == .raw { return .raw }
        let probe = try ImageProbe(path: real)
        guard let refusal = probe.refusal else { return probe.format }
        if case .backingFile = refusal, let image = try await image(behind: real) {
            result.image = image
            return probe.format
        }
        if case .backingFile = refusal, let mark, mark.format == probe.format {
            let guards = VolumeGuards(environment: environment)
            try await guards.refuseForeignBacking(real, mark.name, mark.format)
            return mark.format
        }
        var problem = ImageTools.problem(refusal)
        problem.detail = "import: \(shown(real)) cannot be used as a disk: \(problem.detail)"
        throw problem
    }

    /// The image that a disk reads from, and nothing else.
    func image(behind real: String) async throws -> UsableImage? {
        let behind = try BackingChain.files(behind: real).map(RealPath.of)
        guard behind.count == 1 else { return nil }
        return try await environment.inventory.read { db in
            guard let name = try ImageStore.name(db, path: behind[0]) else { return nil }
            return try UsableImage.find(db, .name(name))
        }
    }

    private func cdrom(_ path: String, _ caller: Caller, _ result: inout Result) throws {
        let real = try HostPaths(allowed: environment.allowedPaths).resolve(
            path, field: "cdrom", caller: caller)
        result.disks.append(
            .cdrom(path: real, target: result.targets.next(.sata), serial: "cdrom", bootOrder: nil))
    }

    /// Disks first, so that an installed system starts instead of its installer.
    private func numberBootOrder(_ result: inout Result, hasKernel: Bool) {
        guard !hasKernel else { return }
        var order = 0
        for role in [DomainPlan.Role.root, .cdrom] {
            for index in result.disks.indices where result.disks[index].role == role {
                order += 1
                result.disks[index].bootOrder = order
            }
        }
    }

    /// The folder of a pool, by libvirt; where there is no `default`, it will be made.
    private func directory(of pool: Reference, _ result: inout Result) async throws -> String {
        if let new = result.pool, pool == .name(new.name) { return new.path }
        guard let found = try await find(pool) else {
            guard pool == .name("default") else {
                throw Problem(
                    .poolNotFound, "there is no pool \(shown(pool.description))",
                    hint: "vctl pool list")
            }
            let new = NewPool(id: ObjectID(), name: "default", path: environment.state.volumes)
            result.pool = new
            return new.path
        }
        let xml = try PoolXML(parsing: try await found.xml())
        guard ["dir", "fs", "netfs"].contains(xml.type ?? ""), let path = xml.targetPath else {
            throw Problem(
                .requestInvalid,
                "pool \(shown(found.name)) is of type \(shown(xml.type ?? "?"));"
                    + " disks go to dir, fs or netfs")
        }
        let id = ObjectID(found.uuid)
        let effects = PoolEffects(environment: environment)
        if try await !found.isActive() { try await effects.start(id) }
        try await effects.refuseOtherFolder(id)
        result.pools.insert(
            Claim(subject: id, aspect: .disks, mode: .shared, name: "pool \(found.name)"))
        // One file has one path: claims and users are found by it.
        return try await environment.looks.ask(path) { RealPath.of(path) }
    }

    private func find(_ pool: Reference) async throws -> StoragePool? {
        do {
            let connection = try await environment.hypervisor.poolConnection()
            switch pool {
            case .id(let id): return try await connection.storagePool(uuid: id.uuid)
            case .name(let name): return try await connection.storagePool(name: name)
            }
        } catch let error as LibvirtError where error.code == .noStoragePool {
            return nil
        }
    }

    /// What is allocated at once must fit; thin disks may promise more than there is.
    private func checkSpace(_ result: Result) async throws {
        for volume in result.volumes where volume.preallocation == .falloc || volume.preallocation == .full {
            let directory = (volume.path as NSString).deletingLastPathComponent
            try FreeSpace.require(volume.sizeBytes, at: directory, for: "a preallocated disk")
        }
    }
}

/// Who uses a file as a disk.
enum DiskUsers {
    /// The name of a VM, other than `except`, that has the file as a disk or drive.
    static func name(_ db: Database, path: String, except: ObjectID? = nil) throws -> String? {
        try String.fetchOne(
            db,
            sql: """
                SELECT vm.name FROM vm, json_each(vm.document, '$.disks') AS disk
                WHERE disk.value ->> '$.path' = ? AND vm.id IS NOT ? LIMIT 1
                """, arguments: [path, except?.rawValue])
    }

    /// - Throws: ``Problem`` `volume.inUse` when a VM has the file, or it is an image's.
    static func refuse(_ path: String, except: ObjectID? = nil, _ db: Database) throws {
        if let user = try name(db, path: path, except: except) {
            throw problem(path, .domain(user), hint: "vctl vm show \(shown(user))")
        }
        if let image = try ImageStore.name(db, path: path) {
            throw Problem(
                .volumeInUse,
                "\(shown(path)) is the file of image \(image), which VMs read and none may change",
                hint: "vctl vm create NAME --image \(image)")
        }
    }

    /// The same of many files, with one look at all VMs.
    static func refuse(_ paths: [String], except: ObjectID? = nil, _ db: Database) throws {
        guard paths.count > 1 else { return try paths.forEach { try refuse($0, except: except, db) } }
        let sql = """
            SELECT disk.value ->> '$.path' FROM vm, json_each(vm.document, '$.disks') AS disk
            WHERE disk.value ->> '$.path' IS NOT NULL UNION SELECT path FROM image WHERE path IS NOT NULL
            """
        let needed = Set(try String.fetchAll(db, sql: sql))
        for path in paths where needed.contains(path) { try refuse(path, except: except, db) }
    }

    static func problem(_ path: String, _ user: FileReader, hint: String) -> Problem {
        Problem(.volumeInUse, "\(shown(path)) is used by \(user.description)", hint: hint)
    }
}
