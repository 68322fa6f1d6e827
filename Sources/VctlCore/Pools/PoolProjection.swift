// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// What was seen of a pool and of what is in it.
struct SeenPool: Sendable {
    var pool: Pool
    /// `nil` where nobody could look: what was seen of them before is then all that is known.
    var volumes: [SeenVolume]?
    /// The folder with its volumes, where somebody looked into one.
    var folder: PoolFolder?
}

/// A libvirt pool as the API shows it.
struct PoolProjection: Sendable {
    let files: VolumeFiles
    /// The folder of this instance's own disks: the pool there is ours without a mark.
    let ownFolder: String
    /// Files whose bytes say nothing.
    var raw: Set<ExactName> = []

    /// Looks at a pool. What is a directory is asked itself, since libvirt keeps what it saw once.
    /// - Parameter known: the folder that its volumes were in.
    func look(
        _ record: ObjectRecord, _ volumes: [VolumeRecord]?, _ known: PoolFolder?, at time: Timestamp
    ) -> SeenPool {
        let xml = try? PoolXML(parsing: record.xml)
        var pool = described(record, xml, at: time)
        var (found, seen): ([SeenVolume]?, PoolFolder?) = (nil, nil)
        if let folder = Self.folder(of: pool) {
            seen = PoolFolder(path: folder)
            if Self.isOther(seen, known) {
                Self.lose(&pool, folder)
            } else {
                found = look(into: folder, &pool)
                // What was mounted may have gone while it was listed.
                if Self.isOther(PoolFolder(path: folder), seen) {
                    found = nil
                    Self.lose(&pool, folder)
                }
            }
        } else if record.isActive {
            if let xml { Self.sizes(xml, &pool) }
            found = volumes.map { Self.seen($0, in: pool.name) }
        }
        Self.judge(&pool)
        return SeenPool(pool: pool, volumes: found, folder: found == nil ? nil : seen)
    }

    private static func isOther(_ folder: PoolFolder?, _ known: PoolFolder?) -> Bool {
        guard let folder, let known else { return false }
        return folder.isOther(than: known)
    }

    /// One that is stopped may have its file system unmounted.
    private static func lose(_ pool: inout Pool, _ folder: String) {
        guard pool.state == .running else { return }
        (pool.state, pool.problem) = (.missing, PoolFolder.problem(folder))
    }

    /// A pool that nobody can look at now.
    func unanswered(_ record: ObjectRecord, after seconds: Int, at time: Timestamp) -> SeenPool {
        var pool = described(record, try? PoolXML(parsing: record.xml), at: time)
        (pool.state, pool.health) = (.unknown, .unknown)
        pool.problem = "a look at it did not end within \(seconds) s, as of a server that does not answer"
        return SeenPool(pool: pool, volumes: nil)
    }

    /// What libvirt says of it by itself.
    private func described(_ record: ObjectRecord, _ xml: PoolXML?, at time: Timestamp) -> Pool {
        let backend = xml?.type ?? "unknown"
        var pool = Pool(
            id: ObjectID(record.uuid), name: record.name, backend: backend,
            state: record.isActive ? .running : .stopped, observedAt: time)
        pool.type = Self.type(backend)
        (pool.target, pool.source) = (xml?.targetPath, xml.flatMap(Self.source))
        pool.autostart = record.autostart
        pool.managed = pool.target == ownFolder
        return pool
    }

    /// The folder whose files are the pool's volumes. What has to be mounted first is only looked at then.
    static func folder(of pool: Pool) -> String? {
        switch pool.type {
        case .dir: pool.target
        case .fs, .nfs: pool.state == .running ? pool.target : nil
        default: nil
        }
    }

    /// - Parameter folder: as libvirt names it. Its volumes have the paths that the kernel has for them, as
    ///   disks of VMs do.
    private func look(into folder: String, _ pool: inout Pool) -> [SeenVolume]? {
        do {
            let found = try files.all(in: RealPath.of(folder), raw: raw)
            if pool.state == .running { Self.sizes(of: folder, &pool) }
            return found.map { $0.seen(in: pool.name) }
        } catch {
            if pool.state == .running { (pool.state, pool.problem) = (.missing, "\(error)") }
            return nil
        }
    }

    private static func type(_ backend: String) -> PoolType? {
        switch backend {
        case "dir": .dir
        case "fs": .fs
        case "netfs": .nfs
        case "logical": .lvm
        case "iscsi": .iscsi
        case "disk": .disk
        default: nil
        }
    }

    private static func source(_ xml: PoolXML) -> String? {
        let host = xml.sourceHosts.first?.name
        if let folder = xml.sourceDir { return host.map { "\($0):\(folder)" } ?? folder }
        return xml.sourceName ?? xml.sourceDevices.first
    }

    private static func sizes(_ xml: PoolXML, _ pool: inout Pool) {
        let number = { (bytes: UInt64?) in bytes.map { Int64(clamping: $0) } }
        (pool.capacityBytes, pool.allocationBytes) = (number(xml.capacityBytes), number(xml.allocationBytes))
        pool.availableBytes = number(xml.availableBytes)
    }

    private static func sizes(of folder: String, _ pool: inout Pool) {
        guard let space = StorageSpace.all(at: folder) else { return }
        (pool.capacityBytes, pool.allocationBytes) = (space.capacity, space.used)
        pool.availableBytes = space.available
    }

    private static func seen(_ volumes: [VolumeRecord], in pool: String) -> [SeenVolume] {
        volumes.map { SeenVolume(volume: volume($0, in: pool)) }.sorted {
            ExactName($0.volume.name) < ExactName($1.volume.name)
        }
    }

    private static func volume(_ record: VolumeRecord, in pool: String) -> Volume {
        let xml = try? VolumeXML(parsing: record.xml)
        var volume = Volume(
            id: KeptVolume.id(record.path), pool: pool, name: record.name, path: record.path, state: .present)
        (volume.format, volume.backing) = (xml?.targetFormat, xml?.backingPath)
        volume.capacityBytes = Int64(clamping: record.info.capacity)
        volume.allocationBytes = Int64(clamping: record.info.allocation)
        return volume
    }

    /// From these shares of what can be taken somebody should look after it.
    private static let (nearlyFull, asGoodAsFull) = (0.8, 0.95)

    private static func judge(_ pool: inout Pool) {
        switch pool.state {
        case .missing: pool.health = .critical
        case .unknown: pool.health = .unknown
        case .stopped:
            guard pool.autostart else { return }
            (pool.health, pool.problem) = (.warning, "it should run since the host's boot, and is stopped")
        case .running:
            guard let used = pool.allocationBytes, let free = pool.availableBytes, used > 0 || free > 0 else {
                return
            }
            let share = Double(used) / (Double(used) + Double(free))
            guard share >= nearlyFull else { return }
            pool.health = share >= asGoodAsFull ? .critical : .warning
            pool.problem = "\(Int(share * 100)) % of it are taken, \(ByteCount.human(free)) are free"
        }
    }
}

extension StorageSpace {
    /// What a file system holds.
    struct Sizes: Hashable, Sendable {
        var capacity: Int64
        var used: Int64
        /// Without what only root may take.
        var available: Int64
    }

    /// `nil` where the folder cannot be asked.
    static func all(at folder: String) -> Sizes? {
        var answer = statvfs()
        guard statvfs(folder, &answer) == 0 else { return nil }
        let (all, free) = (UInt64(answer.f_blocks), UInt64(answer.f_bfree))
        return Sizes(
            capacity: bytes(all, answer), used: bytes(all > free ? all - free : 0, answer),
            available: bytes(UInt64(answer.f_bavail), answer))
    }
}
