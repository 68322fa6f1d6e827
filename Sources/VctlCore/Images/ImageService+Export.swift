// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// The file of an image, open: it can be read to its end even if the image is deleted meanwhile.
public final class ImageContent: Sendable {
    /// In bytes.
    public let size: Int64
    private let descriptor: Int32
    private static let piece = 1 << 20

    fileprivate init(path: String) throws {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { throw FileFailure(path: path) }
        size = Int64(status.st_size)
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit { close(descriptor) }

    /// The next bytes; none at the end.
    /// - Throws: ``Problem`` `storage.failed`.
    public func next() async throws -> [UInt8] {
        try await Blocking.run { [self] in
            try [UInt8](unsafeUninitializedCapacity: Self.piece) { buffer, count in
                let got = read(descriptor, buffer.baseAddress, buffer.count)
                guard got >= 0 else { throw FileFailure(path: "the image") }
                count = got
            }
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
