// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// What is the same before and after, when nobody touched a file in between.
struct FileStamp: Codable, Hashable, Sendable {
    var inode: UInt64
    var size: Int64
    /// Nanoseconds since 1970.
    var modified: Int64
    /// Bytes that it takes on the disk.
    var allocated: Int64

    /// `nil` when there is no regular file at `path`; a symbolic link is none.
    init?(path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        // A file system may say what it likes: it is compared, and 2262 is not the end of it.
        modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        allocated = Int64(status.st_blocks) &* 512
    }

    /// Whether it is the same file with the same content; how it lies on the disk may change by itself.
    func isSame(as other: FileStamp?) -> Bool {
        inode == other?.inode && size == other?.size && modified == other?.modified
    }
}

/// Refusals for want of room, with the numbers.
enum FreeSpace {
    /// - Throws: ``Problem`` `storage.full` with the numbers, when `bytes` do not fit.
    static func require(_ bytes: Int64, at path: String, for purpose: String) throws {
        let directory = (path as NSString).deletingLastPathComponent
        guard let free = StorageSpace.available(at: directory), bytes > free else { return }
        throw full(path, "\(purpose) needs \(ByteCount.human(bytes)), \(ByteCount.human(free)) are free")
    }

    /// The error for a write that found no room.
    static func full(_ path: String, _ detail: String) -> Problem {
        let directory = (path as NSString).deletingLastPathComponent
        return Problem(
            .storageFull, "the disk that holds \(directory) is full: \(detail)", hint: "df -h \(directory)")
    }
}

/// Calls that block, kept away from the few threads that everything else runs on.
enum Blocking {
    static func run<T: Sendable>(_ body: @Sendable @escaping () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(with: Result { try body() })
            }
        }
    }
}
