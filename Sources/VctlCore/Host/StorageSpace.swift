// SPDX-License-Identifier: Apache-2.0
import Glibc

/// How much room a file system has, asked of the kernel: a tool's words for a full disk are in no contract.
enum StorageSpace {
    /// `O_TMPFILE`, which Swift cannot import since it is a sum.
    private static let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY

    /// Bytes that an unprivileged process may still write; `nil` where the folder cannot be asked.
    static func available(at folder: String) -> Int64? {
        var answer = statvfs()
        guard statvfs(folder, &answer) == 0 else { return nil }
        return bytes(UInt64(answer.f_bavail), answer)
    }

    /// What some blocks of a file system hold; one of a network may say what it likes.
    static func bytes(_ blocks: UInt64, _ answer: statvfs) -> Int64 {
        let (bytes, overflow) = blocks.multipliedReportingOverflow(by: UInt64(answer.f_frsize))
        return overflow ? .max : Int64(clamping: bytes)
    }

    /// Whether there is no room for one more megabyte in this folder. Ask right after a tool failed to write
    /// there, before what it left is removed.
    ///
    /// A quota or a full table of inodes shows only in trying, so an unnamed file is tried too.
    static func isFull(at folder: String) -> Bool {
        let margin = 1 << 20
        if let free = available(at: folder), free < margin { return true }
        let descriptor = open(folder, unnamed | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno == ENOSPC || errno == EDQUOT }
        defer { close(descriptor) }
        let failure = posix_fallocate(descriptor, 0, off_t(margin))
        return failure == ENOSPC || failure == EDQUOT
    }
}
