// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import VctlAPI

/// Looks whether received content is what was announced, and safe to be opened: its checksum, its format,
/// that it reads from no other file, and that it is whole.
struct ImageVerification: Sendable {
    /// What was found out.
    struct Verified: Codable, Sendable {
        var checksum: Checksum
        var format: DiskFormat
        var virtualSize: Int64
        /// The file that was looked at.
        var stamp: FileStamp
    }

    let path: String
    let checksum: Checksum?
    let declared: DiskFormat?
    let limits: ImageLimits

    /// - Throws: ``Problem`` `image.checksum`, `image.changed`, `image.format`, `image.backingFile`,
    ///   `image.corrupt`.
    func run(_ progress: @Sendable @escaping (Operation.Progress) -> Void) async throws -> Verified {
        guard let before = FileStamp(path: path) else { throw changed }
        let digest = try await hash(size: before.size, progress)
        if let checksum, checksum != digest {
            throw Problem(
                .imageChecksum, "the content has the checksum \(digest), not \(checksum)",
                hint: "fetch it again, or give the checksum that its publisher names")
        }
        let (format, size) = try await inspect()
        guard before.isSame(as: FileStamp(path: path)) else { throw changed }
        return Verified(checksum: digest, format: format, virtualSize: size, stamp: before)
    }

    private func hash(
        size: Int64, _ progress: @Sendable @escaping (Operation.Progress) -> Void
    ) async throws -> Checksum {
        let file = try await Blocking.run { [path] in try ContentReader(path: path) }
        defer { file.close() }
        var hasher = SHA256()
        var done: Int64 = 0
        while true {
            try Task.checkCancellation()
            let current = hasher
            guard let (next, count) = try await Blocking.run({ try file.feed(current) }) else { break }
            hasher = next
            done += Int64(count)
            progress(Operation.Progress(phase: "verifying", done: done, total: max(size, done)))
        }
        return Checksum(
            sha256: hasher.finalize().map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined())
    }

    private func inspect() async throws -> (DiskFormat, Int64) {
        let found = try await ImageTools.inspect(path, declared: declared)
        guard found.virtualSize > 0, found.virtualSize <= limits.virtualBytes else {
            throw Problem(
                .imageFormat,
                "the image shows a disk of \(found.virtualSize) bytes; 1 byte to "
                    + "\(ByteCount.human(limits.virtualBytes)) can be used")
        }
        return (found.format, found.virtualSize)
    }

    private var changed: Problem {
        Problem(.imageChanged, "the content changed while it was looked at", hint: "import it again")
    }
}

/// Reads a file in pieces that are large enough for the disk and small enough for the memory.
private struct ContentReader: Sendable {
    private let descriptor: Int32
    private let path: String

    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw FileFailure(path: path) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// The hasher after up to 16 MiB more; `nil` at the end.
    func feed(_ hasher: SHA256) throws -> (SHA256, Int)? {
        var hasher = hasher
        var total = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while total < 16 << 20 {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure(path: path) }
            if count == 0 { break }
            buffer.withUnsafeBytes {
                hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count]))
            }
            total += count
        }
        return total > 0 ? (hasher, total) : nil
    }

    func close() { Foundation.close(descriptor) }
}
