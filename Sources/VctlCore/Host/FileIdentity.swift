// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc

/// Which file it is, whatever stands at its path later. It outlives a restart of the host, which may give the
/// device another number.
struct FileIdentity: Codable, Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    /// When it was made, in nanoseconds since 1970; `nil` where the file system does not say. A file system
    /// gives an inode's number to the next file as soon as it is free.
    var born: Int64?
    /// What the file system tells it by from a later file with the same number, in short; asked only where
    /// nobody knows when it was made.
    var handle: Int64?

    /// `nil` when there is no regular file at `path`; a symbolic link is none.
    init?(path: String) {
        var file = chost_file()
        guard chost_file_at(path, &file) == 0, let found = FileIdentity(file) else { return nil }
        self = found
    }

    /// The same of a directory.
    init?(folder path: String) {
        var file = chost_file()
        guard chost_file_at(path, &file) == 0, file.mode & S_IFMT == S_IFDIR else { return nil }
        self.init(numbers: file)
    }

    /// `nil` where what has the number is no regular file.
    init?(_ file: chost_file) {
        guard file.mode & S_IFMT == S_IFREG else { return nil }
        self.init(numbers: file)
    }

    private init(numbers file: chost_file) {
        (device, inode, born) = (file.device, file.inode, file.born == 0 ? nil : file.born)
        handle = file.handle == 0 ? nil : file.handle
    }

    /// What two identities say of each other.
    enum Likeness: Sendable {
        case same, other
        /// The number is the same, and nothing tells whether the file is.
        case unproven
    }

    /// Whether it is that very file.
    func likeness(to other: FileIdentity?) -> Likeness {
        guard let other, inode == other.inode else { return .other }
        if let born, let theirs = other.born { return born == theirs ? .same : .other }
        if let handle, let theirs = other.handle { return handle == theirs ? .same : .other }
        return .unproven
    }

    /// Whether nothing says that it is another file. Good enough for the time of one change; what was kept
    /// longer needs ``likeness(to:)``.
    func isSame(as other: FileIdentity?) -> Bool {
        switch likeness(to: other) {
        case .same: true
        case .other: false
        case .unproven: device == other?.device
        }
    }
}

/// A file as it was when it was decided what becomes of it.
struct KnownFile: Codable, Hashable, Sendable {
    var path: String
    var identity: FileIdentity

    /// `nil` where there is no regular file.
    init?(path: String) {
        guard let identity = FileIdentity(path: path) else { return nil }
        (self.path, self.identity) = (path, identity)
    }

    /// Without its folder.
    var name: String { RealPath.name(of: path) }

    /// Whether it is still what is at its path.
    var isThere: Bool { identity.isSame(as: FileIdentity(path: path)) }
}

/// By which two paths are known to lead to one file at the same time, hard links and mounts included.
struct FileKey: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64

    /// Follows symbolic links; `nil` where there is nothing. Nodes of one block device lead to one disk.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let isDisk = status.st_mode & S_IFMT == S_IFBLK
        (device, inode) =
            isDisk ? (UInt64(status.st_rdev), 0) : (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}

/// Paths that lead to some files.
struct SameFiles: Sendable {
    private let paths: Set<ExactName>
    private let keys: Set<FileKey>

    init(_ files: some Sequence<String>) {
        let real = files.map(RealPath.of)
        paths = Set(real.map { ExactName($0) })
        keys = Set(real.compactMap { FileKey(path: $0) })
    }

    /// Whether a path leads to one of them.
    func contains(_ path: String) -> Bool {
        if paths.contains(ExactName(RealPath.of(path))) { return true }
        return FileKey(path: path).map(keys.contains) ?? false
    }
}
