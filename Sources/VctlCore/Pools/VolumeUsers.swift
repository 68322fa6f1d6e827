// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI
import VirtXML

/// A VM that needs a volume.
struct VolumeUser: Hashable, Sendable {
    let id: ObjectID
    let vm: String
    /// Whether it runs, is paused or is suspended: its memory goes with the disk as that is now.
    let isActive: Bool
    /// The disk that it is; `nil`: a disk of the VM reads from it.
    let target: String?
    /// What QEMU opens it as.
    let format: String?
    /// Whether the VM's definition says by itself what the disk reads from.
    let namesBacking: Bool
}

/// What is in a pool, and for whom.
struct PoolUse: Hashable, Sendable {
    var volumes = 0
    var vms: Set<String> = []

    static func all(_ db: Database) throws -> [ObjectID: PoolUse] {
        let users = try VolumeUsers.byPath(db)
        var uses: [ObjectID: PoolUse] = [:]
        for row in try Row.fetchAll(db, sql: "SELECT pool, path FROM volume") {
            guard let pool = ObjectID(row["pool"] as String) else { continue }
            uses[pool, default: PoolUse()].volumes += 1
            if let names = users[ExactName(row["path"])] { uses[pool]?.vms.formUnion(names) }
        }
        return uses
    }
}

/// Who needs volumes. For what is shown the inventory is good enough; before something is lost libvirt and
/// the files are asked.
struct VolumeUsers: Sendable {
    let environment: VMEnvironment

    /// The names of VMs by the paths of what their disks are and read from.
    static func byPath(_ db: Database) throws -> [ExactName: [String]] {
        let sql = """
            SELECT vm.name AS vm, disk.value ->> '$.path' AS path
            FROM vm, json_each(vm.document, '$.disks') AS disk
            WHERE disk.value ->> '$.path' IS NOT NULL ORDER BY vm.name
            """
        let links = try VolumeStore.links(db)
        let behind = Dictionary(links.map { (ExactName($0.path), ExactName($0.backing)) }) { $1 }
        var users: [ExactName: [String]] = [:]
        for row in try Row.fetchAll(db.cachedStatement(sql: sql)) {
            var (next, seen): (ExactName?, Set<ExactName>) = (ExactName(row["path"]), [])
            while let path = next, seen.insert(path).inserted {
                if users[path]?.last != row["vm"] { users[path, default: []].append(row["vm"]) }
                next = behind[path]
            }
        }
        return users
    }

    /// The VMs that need the volume at a path, as libvirt and the files have it now.
    func of(_ path: String, _ name: VolumeName) async throws -> [VolumeUser] {
        try await find(Looks.disks) { needs, pools in
            let files = SameFiles([path])
            let use = { (disk: DiskXML, path: String?) throws -> Use in
                if VolumeName(of: disk) == name { return .direct }
                guard let path else { return .none }
                if files.contains(path) { return .direct }
                return try DomainNeeds.behind(disk, path).contains(where: files.contains) ? .behind : .none
            }
            return try Self.users(needs, pools, use) { files.contains($0) }
        }
    }

    /// The VMs that need a file in a pool's folder, or one of its volumes.
    /// - Parameters:
    ///   - folder: where its volumes are.
    ///   - running: only those that run, are paused or are suspended.
    func ofPool(_ pool: ObjectReference, folder: String?, running: Bool = false) async throws -> [String] {
        let known = try await environment.inventory.read { try VolumeStore.paths($0, of: pool.id) }
        let users = try await find("pool \(pool.name) and \(Looks.disks)") { needs, pools in
            let extent = PoolExtent(folder: folder, volumes: known)
            let use = { (disk: DiskXML, path: String?) throws -> Use in
                if disk.sourcePool == pool.name { return .direct }
                guard let path else { return .none }
                if extent.contains(path) { return .direct }
                return try DomainNeeds.behind(disk, path).contains(where: extent.contains) ? .behind : .none
            }
            return try Self.users(needs, pools, use) { extent.contains($0) }
        }
        return Set(users.filter { $0.isActive || !running }.map(\.vm)).sorted()
    }

    private enum Use { case none, direct, behind }

    /// - Parameter key: what is looked at; a look that hangs holds up the others at the same.
    private func find(
        _ key: String, _ judge: @escaping @Sendable ([DomainNeeds], PoolDisks) throws -> [VolumeUser]
    ) async throws -> [VolumeUser] {
        let records = try await environment.hypervisor.connection().domainRecords()
        let needs = try records.map { try DomainNeeds($0) }
        let pools = try await PoolDisks(needs, environment.hypervisor)
        return try await environment.looks.ask(key) { try judge(needs, pools) }
    }

    /// - Parameter other: whether one needs a file that is no disk.
    private static func users(
        _ all: [DomainNeeds], _ pools: PoolDisks, _ use: (DiskXML, String?) throws -> Use,
        other: (String) -> Bool
    ) throws -> [VolumeUser] {
        try all.flatMap { needs -> [VolumeUser] in
            var users = Set(
                try needs.disks.compactMap { user(needs.record, $0, try use($0, pools.path(of: $0))) })
            if needs.others.contains(where: other) { users.insert(reader(needs.record)) }
            return users.sorted { ($0.vm, $0.target ?? "") < ($1.vm, $1.target ?? "") }
        }
    }

    private static func user(_ record: DomainRecord, _ disk: DiskXML, _ use: Use) -> VolumeUser? {
        guard use != .none else { return nil }
        return VolumeUser(
            id: ObjectID(record.uuid), vm: record.name, isActive: isActive(record),
            target: use == .direct ? disk.targetDev : nil, format: disk.driverType ?? "raw",
            namesBacking: record.activeXML == nil && !disk.chain.isEmpty)
    }

    /// One that has it as its kernel or its firmware.
    private static func reader(_ record: DomainRecord) -> VolumeUser {
        VolumeUser(
            id: ObjectID(record.uuid), vm: record.name, isActive: isActive(record), target: nil, format: nil,
            namesBacking: false)
    }

    private static func isActive(_ record: DomainRecord) -> Bool {
        record.activeXML != nil || record.hasManagedSave
    }

    /// - Throws: ``Problem`` `volume.inUse` naming who needs it.
    func refuseUsed(_ path: String, _ name: VolumeName) async throws {
        if let user = try await of(path, name).first { throw Self.problem(name.full, user) }
        try await refuseNeeded([path])
    }

    /// - Parameter except: the VM that may have them.
    /// - Throws: ``Problem`` `volume.inUse` where somebody needs one of the files that is none of them: by
    ///   libvirt, by the files of all pools, or by what was seen of a pool that is not there now.
    func refuseNeeded(_ paths: [String], except: ObjectID? = nil) async throws {
        guard !paths.isEmpty else { return }
        try await environment.inventory.read { try DiskUsers.refuse(paths, except: except, $0) }
        if let reader = try await environment.readers.first(of: paths, except: except) {
            let path = paths.count == 1 ? paths[0] : "a volume"
            throw DiskUsers.problem(path, reader, hint: reader.hint)
        }
        try await refuseLinked(paths)
    }

    /// - Throws: ``Problem`` `volume.inUse` where a volume that is none of the files reads from one of them,
    ///   by what was seen of it.
    func refuseLinked(_ paths: [String]) async throws {
        guard let link = try await link(to: paths) else { return }
        throw Problem(
            .volumeInUse, "volume \(shown(link.volume)) reads from \(shown(link.backing))",
            hint: "vctl volume flatten \(shown(link.volume)), or vctl volume delete \(shown(link.volume))")
    }

    /// A volume that reads from one of the files and is none of them, wherever its pool is now.
    func link(to paths: [String]) async throws -> VolumeLink? {
        guard !paths.isEmpty else { return nil }
        let links = try await environment.inventory.read { try VolumeStore.links($0) }
        guard !links.isEmpty else { return nil }
        return try await environment.looks.ask(Looks.disks) {
            let files = SameFiles(paths)
            return links.first { files.contains($0.backing) && !files.contains($0.path) }
        }
    }

    static func problem(_ name: String, _ user: VolumeUser) -> Problem {
        let how = user.target.map { "is disk \(shown($0)) of" } ?? "is read by"
        return Problem(
            .volumeInUse, "volume \(shown(name)) \(how) VM \(shown(user.vm))",
            hint: "vctl vm disk list \(shown(user.vm))")
    }
}
