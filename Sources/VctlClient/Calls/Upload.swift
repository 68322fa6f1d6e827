// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// A file that must stay as it is while it is read.
public final class UploadFile {
    /// What the user called it.
    public let path: String
    /// Its size when it was opened, in bytes.
    public let size: Int64
    private let descriptor: Int32
    private let before: stat

    /// Opens a regular file.
    /// - Throws: ``FileError``.
    public init(path: String) throws {
        self.path = path
        // Without O_NONBLOCK a FIFO would wait here for somebody who writes to it.
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError.unreadable(path, errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError.unreadable(path, errno) }
        before = status
        size = Int64(status.st_size)
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileError.notRegular(path) }
        guard size > 0 else { throw FileError.empty(path) }
    }

    deinit { close(descriptor) }

    /// At most `count` bytes at an offset.
    func read(at offset: Int64, count: Int) throws -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            repeat {
                let got = pread(descriptor, buffer.baseAddress, count, off_t(offset))
                failure = got < 0 ? errno : 0
                filled = max(got, 0)
            } while failure == EINTR
        }
        guard failure == 0 else { throw FileError.unreadable(path, failure) }
        return bytes
    }

    /// - Throws: ``FileError/changed(_:)`` where size, time or identity are not what they were.
    func checkUnchanged() throws {
        var now = stat()
        let same =
            statusOf(path, &now) && now.st_size == before.st_size && now.st_ino == before.st_ino
            && now.st_dev == before.st_dev && now.st_mtim.tv_sec == before.st_mtim.tv_sec
            && now.st_mtim.tv_nsec == before.st_mtim.tv_nsec
        guard same else { throw FileError.changed(path) }
    }
}

private func statusOf(_ path: String, _ result: inout stat) -> Bool { stat(path, &result) == 0 }

/// What can be wrong with a file that the user named.
public enum FileError: Error, Hashable, Sendable {
    case unreadable(String, Int32)
    case notRegular(String)
    case empty(String)
    case changed(String)
    case tooLarge(String, limit: Int)
}

extension Client {
    /// Sends a file's content with `Content-Range`. A broken connection is made again, and the sending goes
    /// on behind what the daemon says it has.
    /// - Parameters:
    ///   - request: the `PUT`.
    ///   - received: asks the daemon how many bytes it has.
    ///   - report: is told the number of bytes sent.
    /// - Throws: ``FileError/changed(_:)`` before the last byte is sent, where the file changed meanwhile.
    public func upload(
        _ file: UploadFile, by request: Request, until deadline: Deadline = .never,
        received: () throws -> Int64, report: (Int64) -> Void = { _ in }
    ) throws -> Reply {
        var offset: Int64 = 0
        while true {
            do {
                return try attempt(file, request, from: offset, until: deadline, report)
            } catch let error as ClientError where error.isPassing {
                offset = try patiently(until: deadline, received)
                guard (0..<file.size).contains(offset) else { throw error }
            }
        }
    }

    private func attempt(
        _ file: UploadFile, _ request: Request, from start: Int64, until deadline: Deadline,
        _ report: (Int64) -> Void
    ) throws -> Reply {
        let request =
            request
            .header("Content-Range", "bytes \(start)-\(file.size - 1)/\(file.size)")
            .header("Content-Type", "application/octet-stream")
        let connection = try takeConnection(until: limit(deadline))
        connection.begin()
        try connection.write(request.head(contentLength: file.size - start), until: limit(deadline))
        let complete = try stream(file, from: start, on: connection, until: deadline, report)
        // The daemon may have to write out what it has before it can answer.
        let (head, body) = try receive(on: connection, method: "PUT", until: limit(deadline, extra: 600))
        let reply = Reply(head: head, bytes: try body.rest(until: limit(deadline)))
        if !complete { forgetConnection() }
        if let problem = reply.problem { throw problem }
        return reply
    }

    /// Whether all was sent; `false` where the daemon answered before.
    private func stream(
        _ file: UploadFile, from start: Int64, on connection: Connection, until deadline: Deadline,
        _ report: (Int64) -> Void
    ) throws -> Bool {
        var offset = start
        while offset < file.size {
            let part = try file.read(at: offset, count: Int(min(1 << 20, file.size - offset)))
            guard !part.isEmpty else { throw FileError.changed(file.path) }
            // The last byte completes the upload: it is sent only when the file is still the one announced.
            if offset + Int64(part.count) == file.size { try file.checkUnchanged() }
            var sent = 0
            while sent < part.count {
                let count = try connection.writeUnlessAnswered(part[sent...], until: limit(deadline))
                if count == 0 { return false }
                sent += count
            }
            offset += Int64(part.count)
            report(offset)
        }
        return true
    }
}
