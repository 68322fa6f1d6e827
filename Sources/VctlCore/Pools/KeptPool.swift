// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// What makes a pool ours. libvirt keeps no metadata of pools, so this stands in the pool's row and in
/// `objects/`.
struct KeptPool: Codable, Hashable, Sendable {
    /// libvirt's UUID.
    var id: ObjectID
    var name: String
    var labels: [String: String] = [:]
    var protected = false
    var createdAt: Timestamp?
    /// Who asked for it.
    var creator: String?
    /// When it was taken over, where somebody else had made it.
    var adoptedAt: Timestamp?
    /// Who took it over.
    var adopter: String?
    /// The folders that were made for it, the outermost first.
    var folders: [String] = []

    init(id: ObjectID, name: String) {
        self.id = id
        self.name = name
    }
}

/// What makes a volume ours: its file alone says neither who made it nor what a guest may take it for.
struct KeptVolume: Codable, Hashable, Sendable {
    var pool: ObjectID
    var name: String
    var path: String
    /// As it was made. A guest writes the first bytes of a raw one, and could make it look like another.
    var format: DiskFormat
    var labels: [String: String] = [:]
    var createdAt: Timestamp?
    var creator: String?
    /// The file that was made; `nil` until it is. What stands at the path instead is somebody else's.
    var file: FileIdentity?
    /// The file that it reads from, which nobody may remove, also while this one cannot be seen.
    var backing: String?
    /// What a guest saw of it before its data were overwritten, in bytes, until it is whole again.
    var wiping: Int64?

    var id: ObjectID { Self.id(path) }

    /// The id of whatever is at a path; claims on the path are claims on it.
    static func id(_ path: String) -> ObjectID { ObjectID(hashing: path) }
}

extension Pool {
    var reference: ObjectReference { ObjectReference(kind: .pool, id: id, name: name) }

    /// Takes over what libvirt does not know of it.
    mutating func apply(_ mark: KeptPool?) {
        guard let mark else { return }
        (managed, labels, protected, createdAt) = (true, mark.labels, mark.protected, mark.createdAt)
    }
}

extension Volume {
    var reference: ObjectReference { ObjectReference(kind: .volume, id: id, name: fullName) }
    var called: VolumeName { VolumeName(pool: pool, name: name) }

    /// Takes over what its file does not say.
    /// - Parameter file: the one that was found.
    mutating func apply(_ mark: KeptVolume?, of file: FileIdentity?) {
        guard let mark else { return }
        takeOver(mark)
        switch mark.file?.likeness(to: file) ?? .other {
        case .same: break
        case .other: return state = .replaced
        case .unproven: return state = .unproven
        }
        // What a guest wrote into a raw disk says nothing.
        if mark.format == .raw, format != "raw" { (format, backing, capacityBytes) = ("raw", nil, nil) }
    }

    /// Who made it, and what was said of it.
    fileprivate mutating func takeOver(_ mark: KeptVolume) {
        (managed, labels, createdAt) = (true, mark.labels, mark.createdAt)
    }
}

/// Makes the marks of pools and volumes again from `objects/`, when the database was lost; libvirt's next
/// reading says what they are.
enum PoolRecovery {
    /// - Returns: files that cannot be read, and are left where they are.
    static func restore(_ state: StateDirectory, _ transaction: Transaction) throws -> [String] {
        let pools = state.kept(.pool, KeptPool.self)
        for mark in pools.values where try PoolStore.find(transaction.db, .id(mark.id))?.mark == nil {
            var pool = Pool(id: mark.id, name: mark.name, backend: "", state: .missing, observedAt: .now)
            pool.apply(mark)
            try transaction.store(pool, mark)
        }
        let volumes = state.kept(.volume, KeptVolume.self)
        let known = try VolumeStore.marks(transaction.db)
        for mark in volumes.values where !known.contains(mark.id) {
            let pool = try name(ofPool: mark.pool, transaction)
            try transaction.store(.missing(mark, in: pool), of: mark.pool, mark)
        }
        return pools.unreadable + volumes.unreadable
    }

    /// The name of a pool of others is known again once libvirt is read; where libvirt has it no more, its
    /// volumes are not forgotten.
    private static func name(ofPool id: ObjectID, _ transaction: Transaction) throws -> String {
        if let row = try PoolStore.find(transaction.db, .id(id)) { return row.name }
        let pool = Pool(id: id, name: id.rawValue, backend: "", state: .missing, observedAt: .now)
        try transaction.store(pool, nil)
        return pool.name
    }
}

extension PoolRecovery {
    /// Knows again what the database does not, as where an older copy of it was put back, and removes files
    /// that a daemon which died never finished. For the start of the daemon, before requests are served.
    static func sweep(_ state: StateDirectory, _ inventory: Inventory) async throws {
        let isWhole = try await inventory.read { db in
            let pools = Set(try PoolStore.all(db).compactMap { $0.mark?.id })
            let volumes = try VolumeStore.marks(db)
            return state.kept(.pool, KeptPool.self).values.allSatisfy { pools.contains($0.id) }
                && state.kept(.volume, KeptVolume.self).values.allSatisfy { volumes.contains($0.id) }
        }
        if !isWhole { try await inventory.write { _ = try restore(state, $0) } }
        for kind in [ObjectKind.pool, .volume] { try state.removeUnfinished(kind) }
    }
}

extension Volume {
    /// One that should be there.
    static func missing(_ mark: KeptVolume, in pool: String, _ state: VolumeState = .missing) -> Volume {
        var volume = Volume(id: mark.id, pool: pool, name: mark.name, path: mark.path, state: state)
        (volume.format, volume.backing) = (mark.format.rawValue, mark.backing)
        volume.takeOver(mark)
        return volume
    }
}
