// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// A file of the host that could not be opened, read, written, named or removed.
struct FileFailure: Error, Hashable, Sendable, CustomStringConvertible {
    let path: String
    let errno: Int32

    init(path: String, errno: Int32 = Foundation.errno) {
        self.path = path
        self.errno = errno
    }

    /// Whether there was no room: on the disk, in a quota, or for a file of that size.
    var isWantOfRoom: Bool { [ENOSPC, EDQUOT, EFBIG].contains(errno) }

    var description: String { "\(path): \(String(cString: strerror(errno)))" }
}

extension Problem {
    init(file failure: FileFailure) {
        let path = shown(failure.path, limit: 300)
        guard !failure.isWantOfRoom else {
            self = FreeSpace.full(path, "no room for more of it")
            return
        }
        self.init(.storageFailed, shown("\(failure)", limit: 500), hint: "ls -ld \(path)")
    }
}
