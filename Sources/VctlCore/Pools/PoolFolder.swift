// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Which folder a pool's volumes were seen in. Where the file system of one is not mounted, there is another,
/// empty folder at its path, and nobody may believe that the volumes are gone.
struct PoolFolder: Codable, Hashable, Sendable {
    /// As libvirt names it.
    var path: String
    var identity: FileIdentity

    /// The folder that is there now; `nil`: none is.
    init?(path: String) {
        guard let identity = FileIdentity(folder: RealPath.of(path)) else { return nil }
        (self.path, self.identity) = (path, identity)
    }

    /// Whether it is another one at the same place.
    func isOther(than known: PoolFolder) -> Bool {
        path == known.path && known.identity.likeness(to: identity) == .other
    }

    /// What a person is told of it.
    static func problem(_ path: String) -> String {
        "\(path) is another directory than the one with its volumes: is its file system mounted?"
    }

    /// That of a pool with volumes: an empty one has lost nothing where another folder has its place.
    static func kept(_ db: Database, of pool: ObjectID) throws -> PoolFolder? {
        try VolumeStore.isEmpty(db, pool) ? nil : stored(db, of: pool)
    }

    private static func stored(_ db: Database, of pool: ObjectID) throws -> PoolFolder? {
        let sql = "SELECT folder FROM pool WHERE id = ?"
        return try String.fetchOne(db, sql: sql, arguments: [pool.rawValue]).map {
            try JSON.value(PoolFolder.self, $0)
        }
    }

    /// Whether the folder of what was seen is to be kept: where its volumes were seen in it, or there are
    /// none yet.
    static func isNew(_ seen: SeenPool, _ db: Database) throws -> Bool {
        guard let folder = seen.folder else { return false }
        let isEmpty = try VolumeStore.isEmpty(db, seen.pool.id)
        guard let stored = try stored(db, of: seen.pool.id) else {
            return isEmpty || seen.volumes?.isEmpty == false
        }
        return stored.path != folder.path || (isEmpty && folder.isOther(than: stored))
    }

    /// Those of all such pools.
    static func all(_ db: Database) throws -> [(pool: ObjectID, folder: PoolFolder)] {
        try PoolStore.all(db).compactMap { row in try kept(db, of: row.id).map { (row.id, $0) } }
    }
}

extension Transaction {
    /// - Parameter folder: `nil`: whichever is there at the next look.
    func keepFolder(_ folder: PoolFolder?, of pool: ObjectID) throws {
        let text = try folder.map { try JSON.text($0) }
        try execute("UPDATE pool SET folder = ? WHERE id = ?", [text, pool.rawValue])
    }
}

extension PoolEffects {
    /// The same for a file, where a pool is in its folder.
    /// - Throws: ``Problem`` `pool.state`.
    func refuseOtherFolder(of path: String) async throws {
        let folder = RealPath.folder(of: path)
        let pools = try await environment.inventory.read { try PoolFolder.all($0) }
        let pool = try await environment.looks.ask(folder) {
            pools.first { RealPath.of($0.folder.path) == folder }?.pool
        }
        if let pool { try await refuseOtherFolder(pool) }
    }

    /// For who is about to make or remove files there: the pool may have been looked at before the host's
    /// last boot.
    /// - Throws: ``Problem`` `pool.state` where another folder has its place, or none is there.
    func refuseOtherFolder(_ id: ObjectID) async throws {
        let (known, row) = try await environment.inventory.read {
            (try PoolFolder.kept($0, of: id), try PoolStore.find($0, .id(id)))
        }
        guard let known, let row else { return }
        let now = try await environment.looks.ask(known.path) { PoolFolder(path: known.path) }
        guard now?.isOther(than: known) ?? true else { return }
        let name = shown(row.name)
        throw Problem(
            .poolState, "pool \(name): \(shown(PoolFolder.problem(known.path), limit: 500))",
            hint: "mount it; or vctl pool refresh \(name) --force takes the directory as it is now")
    }
}
