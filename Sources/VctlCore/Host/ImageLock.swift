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
    ///   it open, or it has a second name; ``FileFailure``.
    init(_ file: KnownFile, for purpose: Purpose) throws {
        let path = file.path
        let flags = (purpose == .write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        descriptor = open(path, flags)
        guard descriptor >= 0 else {
            guard errno == ELOOP || errno == ENOENT else { throw FileFailure(path: path) }
            throw Self.replaced(path)
        }
        try check(file, purpose)
        for first in Self.bytes { try take(first, path) }
        for first in Self.bytes
        where chost_bytes_are_locked(descriptor, first, Self.permissions) == 1 {
            throw Self.opened(path)
        }
    }

    deinit { close(descriptor) }

    private func check(_ file: KnownFile, _ purpose: Purpose) throws {
        var now = chost_file()
        guard chost_file_of(descriptor, &now) == 0 else { throw FileFailure(path: file.path) }
        guard file.identity.isSame(as: FileIdentity(now)) else { throw Self.replaced(file.path) }
        guard purpose == .remove || now.links == 1 else {
            throw Problem(
                .volumeInUse, "\(shown(file.path)) has \(now.links) names, of which others may be disks",
                hint: "find \(shown(RealPath.folder(of: file.path))) -xdev -samefile \(shown(file.path))")
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
