// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import Logging
import VctlAPI

/// Keeps the projection of libvirt's pools: after each event, and every few seconds, since libvirt tells
/// nobody of a volume that comes or goes, nor of a device that is gone.
final class PoolWatcher: Sendable {
    private let inventory: Inventory
    private let hypervisor: Hypervisor
    private let logger: Logger
    private let projection: PoolProjection
    private let looks = Looks()
    private let records: PoolRecords
    private static let pause = Duration.seconds(4)

    init(
        inventory: Inventory, hypervisor: Hypervisor, state: StateDirectory, records: PoolRecords,
        logger: Logger
    ) {
        self.records = records
        self.inventory = inventory
        self.hypervisor = hypervisor
        self.logger = logger
        projection = PoolProjection(files: VolumeFiles(), ownFolder: state.volumes)
    }

    /// Follows libvirt until the task is cancelled.
    func run() async {
        let polling = Task { await poll() }
        defer { polling.cancel() }
        for await event in hypervisor.managed.events() {
            switch event {
            case .reconnected, .overflow: await quietly { try await self.resync() }
            case .storagePool(let reference, _):
                await quietly { try await self.refresh(ObjectID(reference.uuid)) }
            case .domain, .network, .disconnected: continue
            }
        }
    }

    private func poll() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.pause)
            guard !Task.isCancelled, hypervisor.isConnected else { continue }
            await quietly { try await self.resync() }
        }
    }

    /// What cannot be read now is read at the next turn.
    private func quietly(_ body: () async throws -> Void) async {
        do { try await body() } catch {
            guard !Task.isCancelled, hypervisor.isConnected else { return }
            logger.warning(
                "pools could not be read", metadata: ["error": "\(Problem(describing: error).detail)"])
        }
    }

    /// Reads every pool and makes the inventory equal to them.
    func resync() async throws {
        let reading = inventory.readings.begin()
        let (records, areFresh) = try await records.all()
        for record in records { try await store(record, reading) }
        guard areFresh else { return }
        let present = Set(records.map { ObjectID($0.uuid) })
        let gone = try await inventory.read { try PoolStore.all($0).map(\.id) }.filter {
            !present.contains($0)
        }
        guard !gone.isEmpty else { return }
        try await inventory.write { [inventory] transaction in
            for id in gone where inventory.readings.isNewest(reading, of: id) {
                try transaction.vanishedPool(id)
            }
        }
    }

    /// Reads one pool again.
    func refresh(_ id: ObjectID) async throws {
        let reading = inventory.readings.begin()
        if let record = try await record(id) { return try await store(record, reading) }
        try await inventory.write { [inventory] transaction in
            if inventory.readings.isNewest(reading, of: id) { try transaction.vanishedPool(id) }
        }
    }

    /// The pool as libvirt has it now; while libvirt waits for its server, as it was.
    private func record(_ id: ObjectID) async throws -> ObjectRecord? {
        let found = try await InTime.run(Self.patience) { [hypervisor] () -> ObjectRecord? in
            do {
                return try await hypervisor.pool(id)?.record()
            } catch let error as LibvirtError where error.code == .noStoragePool {
                return nil
            }
        }
        if let found { return found }
        if let known = try records.known().first(where: { ObjectID($0.uuid) == id }) { return known }
        throw Problem(
            .poolState, "libvirt does not say how pool \(id) is, as if it waited for a server",
            hint: "virsh pool-info \(id)")
    }

    private static let patience = Duration.seconds(10)

    private func store(_ record: ObjectRecord, _ reading: UInt64) async throws {
        let id = ObjectID(record.uuid)
        let seen = try await look(at: record)
        guard try await differs(seen) else { return }
        let isChanged = try await inventory.write { [inventory] transaction -> Bool in
            guard inventory.readings.isNewest(reading, of: id) else { return false }
            try transaction.observe(seen.pool)
            if try PoolFolder.isNew(seen, transaction.db) { try transaction.keepFolder(seen.folder, of: id) }
            if let found = seen.volumes { return try transaction.replaceVolumes(of: id, with: found) }
            if seen.pool.state == .missing { try transaction.loseVolumes(of: id) }
            return false
        }
        if isChanged, seen.pool.state == .running { await tellLibvirt(id) }
    }

    private func look(at record: ObjectRecord) async throws -> SeenPool {
        let raw = try await inventory.read { try VolumeStore.rawPaths($0) }
        let projection = PoolProjection(
            files: projection.files, ownFolder: projection.ownFolder, raw: Set(raw.map { ExactName($0) }))
        let volumes = try await volumes(record)
        let id = ObjectID(record.uuid)
        let known = try await inventory.read { try PoolFolder.kept($0, of: id) }
        let answer = try await looks.run(id) { projection.look(record, volumes, known, at: .now) }
        return answer ?? projection.unanswered(record, after: Looks.patience, at: .now)
    }

    /// Whether a write would change something: nearly always nothing has.
    private func differs(_ seen: SeenPool) async throws -> Bool {
        try await inventory.read { db in
            guard let row = try PoolStore.find(db, .id(seen.pool.id)) else { return true }
            if try PoolFolder.isNew(seen, db) { return true }
            var pool = seen.pool
            pool.apply(row.mark)
            guard try PoolDocument.stored(row.value()) == PoolDocument.stored(pool) else { return true }
            let rows = try VolumeStore.all(db, of: pool.id)
            let free = rows.filter { $0.operation == nil }
            guard let found = seen.volumes else {
                return try pool.state == .missing && free.contains { try $0.value().state == .present }
            }
            let known = VolumeStore.byName(rows)
            let now = try found.filter { known[ExactName($0.volume.name)]?.operation == nil }.map {
                try $0.volume(after: known[ExactName($0.volume.name)])
            }
            let before = try free.map { try $0.value() }
            return before.filter { $0.state != .missing } != now
                || before.contains { $0.state == .missing && !$0.managed }
        }
    }

    /// Of what is no folder; libvirt alone knows, and `nil` while it does not say.
    private func volumes(_ record: ObjectRecord) async throws -> [VolumeRecord]? {
        let isFolder = ["<pool type='dir'", "<pool type='fs'", "<pool type='netfs'"].contains {
            record.xml.hasPrefix($0)
        }
        guard record.isActive, !isFolder else { return [] }
        return try await InTime.run(Self.patience) { [hypervisor] in
            try await hypervisor.pool(ObjectID(record.uuid))?.volumeRecords() ?? []
        }
    }

    /// A pool of ours that has other volumes than before; those of others are told by them.
    private func tellLibvirt(_ id: ObjectID) async {
        do {
            guard try await inventory.read({ try PoolStore.find($0, .id(id))?.value().managed }) == true
            else { return }
            _ = try await InTime.run(Self.patience) { [hypervisor] in
                try await hypervisor.pool(id, changes: true)?.refresh()
            }
        } catch {
            // It is told at the next change, or by who asks for a refresh.
            logger.debug("libvirt did not refresh a pool", metadata: ["error": "\(error)"])
        }
    }
}

extension Hypervisor {
    /// The pool of that id, or `nil`.
    /// - Parameter changes: for what may wait for the pool's server.
    func pool(_ id: ObjectID, changes: Bool = false) async throws -> StoragePool? {
        do {
            return try await poolConnection(changes: changes).storagePool(uuid: id.uuid)
        } catch let error as LibvirtError where error.code == .noStoragePool {
            return nil
        }
    }
}
