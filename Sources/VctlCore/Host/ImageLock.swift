// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc
import VctlAPI

/// An image that is open for this process alone: it has the locks on it by which QEMU keeps a second QEMU
/// away (block/file-posix.c), so whoever has it open is noticed, and nobody opens it meanwhile.
final class ImageLock: Sendable {
    let descriptor: Int32

    /// What the file is opened for.
    enum Purpose: Sendable {
        case remove
        /// What is written shows under all names of the file.
        case write
    }

    /// A byte for each permission that is used, and one for each that is not shared.
    private static let bytes: [off_t] = [100, 200]
    private static let permissions: off_t = 64

    /// - Throws: ``Problem`` `volume.state` where another file is there by now, `volume.inUse` where QEMU has
    ///   it open, another program has it open for writing, or it has a second name; ``FileFailure``.
    init(_ file: KnownFile, for purpose: Purpose) throws {
        let path = file.path
        // Our own opening for writing would be one of those that are looked for.
        try Self.refuseOpened(file)
        descriptor = try Self.open(path, purpose == .write ? O_RDWR : O_RDONLY)
        let names = try Self.names(descriptor, file)
        guard purpose == .remove || names == 1 else {
            throw Problem(
                .volumeInUse, "\(shown(path)) has \(names) names, of which others may be disks",
                hint: "find \(shown(RealPath.folder(of: path))) -xdev -samefile \(shown(path))")
        }
        for first in Self.bytes { try take(first, path) }
        try Self.refuseLocked(descriptor, path)
    }

    deinit { close(descriptor) }

    private static func open(_ path: String, _ access: Int32) throws -> Int32 {
        let descriptor = Glibc.open(path, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor < 0 else { return descriptor }
        guard errno == ELOOP || errno == ENOENT else { throw FileFailure(path: path) }
        throw replaced(path)
    }

    /// How many names the file has.
    private static func names(_ descriptor: Int32, _ file: KnownFile) throws -> UInt64 {
        var now = chost_file()
        guard chost_file_of(descriptor, &now) == 0 else { throw FileFailure(path: file.path) }
        guard file.identity.isSame(as: FileIdentity(now)) else { throw replaced(file.path) }
        return now.links
    }

    private static func refuseOpened(_ file: KnownFile) throws {
        let descriptor = try open(file.path, O_RDONLY)
        defer { close(descriptor) }
        _ = try names(descriptor, file)
        try refuseLocked(descriptor, file.path)
        guard !FileLease.isOpenForWriting(descriptor, file.path) else {
            throw Problem(
                .volumeInUse,
                "\(shown(file.path)) is open for writing: in a loop device, an export or another program",
                hint: "losetup -j \(shown(file.path)); fuser -v \(shown(file.path))")
        }
    }

    private static func refuseLocked(_ descriptor: Int32, _ path: String) throws {
        for first in bytes where chost_bytes_are_locked(descriptor, first, permissions) == 1 {
            throw opened(path)
        }
    }

    /// A file system without such locks has none of QEMU's, either.
    private func take(_ first: off_t, _ path: String) throws {
        guard chost_share_bytes(descriptor, first, Self.permissions) != 0 else { return }
        if errno == EAGAIN || errno == EACCES { throw Self.opened(path) }
    }

    /// - Throws: ``Problem`` `volume.inUse` where QEMU has an image open to write to it.
    static func refuseWriter(_ descriptor: Int32, _ path: String) throws {
        // Those who write (BLK_PERM_WRITE) and who change its size (BLK_PERM_RESIZE).
        for bit in [1, 3] as [off_t] where chost_bytes_are_locked(descriptor, bytes[0] + bit, 1) == 1 {
            throw opened(path)
        }
    }

    private static func opened(_ path: String) -> Problem {
        Problem(
            .volumeInUse, "\(shown(path)) is open in QEMU or one of its tools",
            hint: "fuser -v \(shown(path))")
    }

    static func replaced(_ path: String) -> Problem {
        Problem(
            .volumeState, "\(shown(path)) is not the file any more that it was, and stays as it is",
            hint: "ls -li \(shown(path))")
    }
}
