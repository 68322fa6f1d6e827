// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Removes files of volumes, each only while it is the one that was to go.
enum VolumeRemoval {
    /// That it is gone already is as good. Ask who needs it right before.
    /// - Throws: ``Problem`` `volume.state` where another file is there by now, `volume.inUse` where QEMU has
    ///   it open; ``FileFailure``.
    @available(*, noasync, message: "it waits for the disk: call it in Blocking.run")
    static func remove(_ file: KnownFile) throws {
        guard exists(file.path) else { return }
        let lock = try ImageLock(file, for: .remove)
        try withExtendedLifetime(lock) {
            guard file.isThere else { throw ImageLock.replaced(file.path) }
            try DurableFile.remove(file.path)
        }
    }

    private static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 || errno != ENOENT
    }
}

/// Gives a whole file its own name, which never replaces somebody else's.
enum VolumePlace {
    /// - Parameter file: the file, at its minted name.
    /// - Throws: ``Problem`` `volume.exists`, where the name was taken meanwhile.
    @available(*, noasync, message: "it waits for the disk: call it in Blocking.run")
    static func place(_ file: KnownFile, at path: String) throws {
        // An earlier attempt may have come to its end.
        if !file.identity.isSame(as: FileIdentity(path: path)), link(file.path, path) != 0 {
            let code = errno
            guard code == EEXIST else { throw FileFailure(path: path, errno: code) }
            throw Problem(
                .volumeExists, "there is a file at \(shown(path)) already", hint: "ls -l \(shown(path))")
        }
        try DurableFile.remove(file.path)
    }

    /// Takes back what ``place(_:at:)`` did, and nothing that somebody else did.
    @available(*, noasync, message: "it waits for the disk: call it in Blocking.run")
    static func takeBack(_ file: KnownFile, at path: String) throws {
        guard file.identity.isSame(as: FileIdentity(path: path)) else { return }
        try DurableFile.remove(path)
    }
}
