// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// A disk that is about to be made at a minted path.
struct NewVolume: Codable, Hashable, Sendable {
    var id: ObjectID
    var path: String
    var format: DiskFormat
    /// The guest's size in bytes.
    var sizeBytes: Int64
    var preallocation: Preallocation
    /// What it is made from.
    var source: Source?

    /// The file of an image.
    struct Source: Codable, Hashable, Sendable {
        var path: String
        var format: DiskFormat
        /// Whether the disk goes on reading from it.
        var linked: Bool
        /// The image that both read from, so that only what differs from it is copied; `nil`: all is copied.
        var backing: QemuImg.Image?
    }

    /// Where it grows until it is whole.
    var partial: String { "\(path).partial" }
}

/// The pool `default`, where there is none.
struct NewPool: Codable, Hashable, Sendable {
    var id: ObjectID
    var name: String
    var path: String
}

/// Makes and removes files of disks. Each looks first, so that it may run twice.
struct VolumeMaker: Sendable {
    let environment: VMEnvironment

    /// A file stands at the minted path only when it is whole.
    func make(_ volume: NewVolume, progress: @escaping @Sendable (Operation.Progress) -> Void) async throws {
        try await PoolEffects(environment: environment).refuseOtherFolder(of: volume.path)
        guard !FileManager.default.fileExists(atPath: volume.path) else { return }
        try DurableFile.remove(volume.partial)
        do {
            try await fill(volume, progress)
        } catch {
            let folder = (volume.path as NSString).deletingLastPathComponent
            // Asked before the partial file goes, for that makes room again.
            let isFull = error is ToolError && StorageSpace.isFull(at: folder)
            try? DurableFile.remove(volume.partial)
            throw isFull ? FreeSpace.full(volume.path, "no room for the disk \(volume.path)") : error
        }
        try place(volume)
    }

    private func fill(_ volume: NewVolume, _ progress: @escaping @Sendable (Operation.Progress) -> Void)
        async throws
    {
        try await Self.claimed(volume.partial) { try await write(volume, progress) }
    }

    /// A tool writes into a file that others never could read; libvirt gives it to QEMU at the start.
    static func claimed(_ path: String, _ write: () async throws -> Void) async throws {
        try claim(path)
        try await write()
    }

    private func write(_ volume: NewVolume, _ progress: @escaping @Sendable (Operation.Progress) -> Void)
        async throws
    {
        guard let source = volume.source else {
            return try await QemuImg.create(
                path: volume.partial, format: volume.format, sizeBytes: volume.sizeBytes,
                preallocation: volume.preallocation)
        }
        if source.linked {
            return try await QemuImg.create(
                path: volume.partial, format: volume.format, sizeBytes: volume.sizeBytes,
                backing: .init(path: source.path, format: source.format))
        }
        try await QemuImg.convert(
            from: source.path, format: source.format, to: volume.partial, format: volume.format,
            preallocation: volume.preallocation, backing: source.backing,
            progress: { percent in
                progress(.init(phase: "copying", done: Int64(percent), total: 100, unit: "percent"))
            })
        try await QemuImg.resize(
            path: volume.partial, format: volume.format, sizeBytes: volume.sizeBytes,
            preallocation: volume.preallocation)
    }

    private static func claim(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFailure(path: path) }
        close(descriptor)
    }

    /// A link and not a rename: it never replaces what somebody else put there.
    func place(_ volume: NewVolume) throws {
        let (partial, path) = (volume.partial, volume.path)
        guard link(partial, path) == 0 else {
            let code = errno
            if code == EEXIST {
                throw Problem(
                    .volumeInUse, "there is a file at \(path) already, and it is not ours",
                    hint: "ls -l \(path)")
            }
            throw FileFailure(path: path, errno: code)
        }
        try DurableFile.remove(partial)
    }

    /// Takes back what ``make(_:_:)`` did. While the partial file is there, a file at the volume's path is
    /// ours only where it is that same file.
    func remove(_ volume: NewVolume) throws {
        if let partial = FileStamp(path: volume.partial), let there = FileStamp(path: volume.path),
            partial.inode != there.inode
        {
            return try DurableFile.remove(volume.partial)
        }
        try DurableFile.remove(volume.partial)
        try DurableFile.remove(volume.path)
    }

    /// Defines and starts the pool, unless there is one of that name by now.
    func ensure(_ new: NewPool) async throws {
        let connection = try await environment.hypervisor.poolConnection(changes: true)
        var found = try await known(new.name, connection)
        if found == nil { found = try await define(new, connection) }
        guard let pool = found else { return }
        if try await !pool.isActive() { try await pool.start() }
        try await pool.setAutostart(true)
    }

    private func known(_ name: String, _ connection: Connection) async throws -> StoragePool? {
        do {
            return try await connection.storagePool(name: name)
        } catch let error as LibvirtError where error.code == .noStoragePool {
            return nil
        }
    }

    private func define(_ new: NewPool, _ connection: Connection) async throws -> StoragePool {
        var xml = PoolXML()
        xml.type = "dir"
        xml.name = new.name
        xml.uuid = new.id.rawValue
        xml.targetPath = new.path
        return try await connection.define(storagePool: xml.xml)
    }
}
