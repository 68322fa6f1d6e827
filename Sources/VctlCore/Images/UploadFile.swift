// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import VctlAPI

/// The images whose content is being received: one request at a time for each.
final class ActiveUploads: Sendable {
    private let active = Mutex<Set<ObjectID>>([])

    /// - Throws: ``Problem`` `image.busy` when another request sends the same content.
    func begin(_ row: ImageRow) throws {
        guard active.withLock({ $0.insert(row.id).inserted }) else {
            throw Problem(
                .imageBusy, "another request is sending the content of image \(row.name)",
                hint: "vctl image show \(row.name)")
        }
    }

    func end(_ id: ObjectID) { active.withLock { _ = $0.remove(id) } }
}

/// The file that content is received into.
struct UploadFile: Sendable {
    let path: String
    private let descriptor: Int32

    /// Opens the file, and cuts it to `size`: what is behind that was never made safe.
    init(path: String, size: Int64) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileFailure(path: path) }
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            let error = FileFailure(path: path)
            Foundation.close(descriptor)
            throw error
        }
    }

    /// Writes all of it at `offset`.
    func write(_ bytes: [UInt8], at offset: Int64) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileFailure(path: path) }
            done += count
        }
    }

    /// Gives back what was written behind `size`.
    func cut(to size: Int64) { _ = ftruncate(descriptor, off_t(size)) }

    /// Makes the content last.
    func sync() throws {
        guard fdatasync(descriptor) == 0 else { throw FileFailure(path: path) }
    }

    func close() { Foundation.close(descriptor) }
}
