// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import VctlAPI

/// A volume that is a file, as it lies there.
struct VolumeFile: Hashable, Sendable {
    let name: String
    let path: String
    let stamp: FileStamp
    let identity: FileIdentity
    /// `nil` where it cannot be read.
    let format: DiskFormat?
    /// What a guest sees.
    let capacityBytes: Int64?
    /// The file that it reads from, absolute.
    let backing: String?
    /// Whether its bytes are a guest's, and say nothing.
    private let isRaw: Bool

    /// `nil` where there is no plain file. A symbolic link is none: it could lead out of the pool.
    /// - Parameter isRaw: whether its bytes are a guest's from the first one on.
    /// - Throws: ``FileFailure`` where nobody can say so.
    @available(*, noasync, message: "it waits for the disk: call it in Blocking.run")
    init?(_ folder: String, _ name: String, isRaw: Bool) throws(FileFailure) {
        let path = "\(folder)/\(name)"
        guard let stamp = FileStamp(path: path), let identity = FileIdentity(path: path) else {
            try Self.refuseUnknown(path)
            return nil
        }
        (self.name, self.path, self.stamp, self.identity) = (name, path, stamp, identity)
        self.isRaw = isRaw
        guard !isRaw else {
            (format, capacityBytes, backing) = (.raw, stamp.size, nil)
            return
        }
        guard let probe = try? ImageProbe(path: path), let named = try? Self.backing(path, probe) else {
            (format, capacityBytes, backing) = (nil, nil, nil)
            return
        }
        format = probe.format
        capacityBytes =
            switch probe.format {
            case .raw: stamp.size
            case .qcow2: probe.qcow2?.virtualSizeBytes
            default: nil
            }
        backing = named.first
    }

    private static func refuseUnknown(_ path: String) throws(FileFailure) {
        var status = stat()
        guard lstat(path, &status) == 0 || [ENOENT, ENOTDIR].contains(errno) else {
            throw FileFailure(path: path)
        }
    }

    /// The file that it reads from, if any.
    private static func backing(_ path: String, _ probe: ImageProbe) throws(FileFailure) -> [String] {
        guard probe.format == .qcow2 else { return [] }
        return try Qcow2Header.references(ofFileAt: path).prefix(1).map {
            BackingChain.resolve($0.name, from: path).first.map(RealPath.of) ?? $0.name
        }
    }

    private init(_ known: VolumeFile, _ stamp: FileStamp) {
        (name, path, format, identity) = (known.name, known.path, known.format, known.identity)
        (capacityBytes, backing, isRaw) = (known.capacityBytes, known.backing, known.isRaw)
        self.stamp = stamp
    }

    /// The same with how it lies on the disk now; `nil` where its content may be another.
    fileprivate func renewed(isRaw: Bool) -> VolumeFile? {
        guard format != nil, isRaw == self.isRaw, let now = FileStamp(path: path), now.isSame(as: stamp),
            identity.isSame(as: FileIdentity(path: path))
        else { return nil }
        return VolumeFile(self, now)
    }

    /// As it is found in a pool.
    func seen(in pool: String) -> SeenVolume {
        SeenVolume(volume: volume(in: pool), file: identity, isUnread: format == nil)
    }

    /// As the API shows it.
    private func volume(in pool: String) -> Volume {
        var volume = Volume(id: KeptVolume.id(path), pool: pool, name: name, path: path, state: .present)
        (volume.format, volume.capacityBytes) = (format?.rawValue, capacityBytes)
        (volume.allocationBytes, volume.backing) = (stamp.allocated, backing)
        return volume
    }
}

/// A volume as it was found in its pool.
struct SeenVolume: Sendable {
    var volume: Volume
    /// Which file it is; `nil`: none.
    var file: FileIdentity?
    /// Whether its file cannot be read.
    var isUnread = false

    /// What is at a path in a pool; `nil`: no volume, or nobody can say so.
    static func now(_ path: String, isRaw: Bool, in pool: String) async -> SeenVolume? {
        let file = try? await Blocking.run {
            try VolumeFile(RealPath.folder(of: path), RealPath.name(of: path), isRaw: isRaw)
        }
        return file?.seen(in: pool)
    }

    /// The same with what is known besides: what was said of it, and, where nobody can read it, what it was
    /// when somebody could.
    func volume(after row: VolumeRow?) throws -> Volume {
        var volume = volume
        if isUnread, let known = try row?.value() {
            (volume.format, volume.capacityBytes) = (known.format, known.capacityBytes)
            volume.backing = known.backing
        }
        volume.apply(row?.mark, of: file)
        return volume
    }
}

/// Finds the volumes in folders. The files are asked, and not libvirt, which looks only when it is told to;
/// what has not changed since is not opened again.
final class VolumeFiles: Sendable {
    private let known = Mutex<[ExactName: [ExactName: VolumeFile]]>([:])
    /// What is being made has names of this form until it is whole.
    static let unfinished = ".vctl-new-"

    /// Every volume in a folder, by name.
    /// - Parameter raw: the paths of those whose bytes are a guest's.
    /// - Throws: ``FileFailure`` where it is no folder, or cannot be read.
    func all(in folder: String, raw: Set<ExactName>) throws -> [VolumeFile] {
        let names = try Self.names(in: folder)
        let before = known.withLock { $0[ExactName(folder)] } ?? [:]
        let found = try names.compactMap { name in
            let isRaw = raw.contains(ExactName("\(folder)/\(name)"))
            return try before[ExactName(name)]?.renewed(isRaw: isRaw)
                ?? VolumeFile(folder, name, isRaw: isRaw)
        }
        known.withLock { $0[ExactName(folder)] = Dictionary(found.map { (ExactName($0.name), $0) }) { $1 } }
        return found
    }

    private static func names(in folder: String) throws -> [String] {
        guard let directory = opendir(folder) else { throw FileFailure(path: folder) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let kind = Int32(entry.pointee.d_type)
            guard kind == Int32(DT_REG) || kind == Int32(DT_UNKNOWN) else { continue }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            // What is no text has no name by which anybody could ask for it.
            guard let name else { continue }
            if !name.hasPrefix(unfinished), !name.hasSuffix(".partial"), Limits.isPlain(name) {
                names.append(name)
            }
        }
        return names.sorted { ExactName($0) < ExactName($1) }
    }
}
