// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// The file of an image, open: it can be read to its end even if the image is deleted meanwhile.
public final class ImageContent: Sendable {
    /// In bytes.
    public let size: Int64
    private let path: String
    private let descriptor: Int32
    /// What must be as it was at the beginning when the last byte is read; `nil`: nobody writes to it.
    private let before: Stamp?
    private static let piece = 1 << 20

    /// Whatever changes with a file's content, or with who may write to it.
    private struct Stamp: Hashable, Sendable {
        let size, modified, modifiedPart, changed, changedPart: Int

        init(_ status: stat) {
            size = Int(status.st_size)
            (modified, modifiedPart) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
            (changed, changedPart) = (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
        }
    }

    /// - Parameter isHeldStill: whether it is of no use where somebody writes to it meanwhile.
    init(path: String, isHeldStill: Bool = false) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        var status = stat()
        let isOpen = descriptor >= 0 && fstat(descriptor, &status) == 0
        (size, before) = (Int64(status.st_size), isHeldStill ? Stamp(status) : nil)
        guard isOpen else { throw FileFailure(path: path) }
        if isHeldStill { try ImageLock.refuseWriter(descriptor, path) }
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit { close(descriptor) }

    /// The next bytes; none at the end.
    /// - Throws: ``Problem`` `storage.failed`; `volume.inUse` before the last bytes where somebody has
    ///   written to it since, so that nobody takes what came for the whole.
    public func next() async throws -> [UInt8] {
        try await Blocking.run { [self] in
            let bytes = try [UInt8](unsafeUninitializedCapacity: Self.piece) { buffer, count in
                let got = read(descriptor, buffer.baseAddress, buffer.count)
                guard got >= 0 else { throw FileFailure(path: path) }
                count = got
            }
            if lseek(descriptor, 0, SEEK_CUR) >= size || bytes.isEmpty { try refuseChanged() }
            return bytes
        }
    }

    private func refuseChanged() throws {
        guard let before else { return }
        try ImageLock.refuseWriter(descriptor, path)
        var status = stat()
        guard fstat(descriptor, &status) == 0, Stamp(status) == before else {
            throw Problem(
                .volumeInUse, "\(shown(path)) was changed while it was read, and what came is no whole",
                hint: "vctl volume list says by usedBy whether a VM has it; stop that, and try again")
        }
    }
}

extension ImageService {
    /// The content of an image that is ready.
    /// - Throws: ``Problem`` `image.notFound`, `image.state`.
    public func content(_ reference: Reference) async throws -> ImageContent {
        let path = try await inventory.read { try UsableImage.find($0, reference) }.path
        return try ImageContent(path: path)
    }
}
