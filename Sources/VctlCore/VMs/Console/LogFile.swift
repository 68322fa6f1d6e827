// SPDX-License-Identifier: Apache-2.0
import CHost
import Foundation
import VctlAPI

/// One file of a console's kept log, open for reading. Its first part may have been freed.
final class LogFile: Sendable {
    let descriptor: Int32
    let inode: UInt64

    /// `nil` where there is none.
    init?(_ path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        inode = Self.status(descriptor).map { UInt64($0.st_ino) } ?? 0
    }

    deinit { close(descriptor) }

    /// Where it ends now.
    var end: Int64 { Self.status(descriptor).map { Int64($0.st_size) } ?? 0 }

    /// Where what is left of it begins.
    var start: Int64 {
        // Without any data it is empty: what is freed is never all of it.
        max(0, Int64(chost_first_data(descriptor)))
    }

    /// At most `count` bytes.
    func read(at offset: Int64, count: Int = 65_536) throws -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let got = pread(descriptor, buffer.baseAddress, count, off_t(offset))
            failure = got < 0 ? errno : 0
            filled = max(got, 0)
        }
        guard failure == 0 || failure == EINTR else {
            throw FileFailure(path: "a console's log", errno: failure)
        }
        return bytes
    }

    /// Frees all but about the last `most` bytes. What is in it keeps its place, so that whoever writes or
    /// reads notices nothing.
    /// - Returns: whether the file system can do that.
    static func trim(_ path: String, to most: Int64) -> Bool {
        guard let file = LogFile(path), file.end - file.start > most else { return true }
        let writable = open(path, O_WRONLY | O_CLOEXEC)
        guard writable >= 0 else { return true }
        defer { close(writable) }
        let freed = (file.end - most) & ~65_535
        return freed <= 0 || chost_free_head(writable, off_t(freed)) == 0
    }

    static func inode(of path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    private static func status(_ descriptor: Int32) -> stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }
}

/// A console's kept log: the file that is written to, and those that virtlogd has put aside as NAME.0,
/// NAME.1, …
struct KeptLog: Sendable {
    let path: String

    var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// All of them, the oldest first. One that is renamed meanwhile is found under both names, and taken
    /// once.
    func files() -> [LogFile] {
        var found: [LogFile] = []
        if let newest = LogFile(path) { found.append(newest) }
        for number in 0..<1000 {
            guard let older = LogFile("\(path).\(number)") else { break }
            if !found.contains(where: { $0.inode == older.inode }) { found.append(older) }
        }
        return found.reversed()
    }

    /// The files behind the given one; `nil` where that one is gone, and so perhaps others that nobody has
    /// read.
    func files(after file: LogFile) -> [LogFile]? {
        let all = files()
        guard let index = all.firstIndex(where: { $0.inode == file.inode }) else { return nil }
        return Array(all[(index + 1)...])
    }
}
