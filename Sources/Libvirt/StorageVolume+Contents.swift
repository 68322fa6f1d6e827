// SPDX-License-Identifier: Apache-2.0
import CLibvirt

extension StorageVolume {
    /// Begins to send bytes into it; the pool must be refreshed afterwards to show new sizes.
    /// - Parameters:
    ///   - offset: where they go, in bytes.
    ///   - length: how many will be sent; 0 is as many as fit.
    /// - Throws: `LibvirtError`.
    public func upload(offset: UInt64 = 0, length: UInt64 = 0) async throws -> ByteStream {
        try await ByteStream.attached(on: connection) { stream in
            _ = try check(virStorageVolUpload(self.raw, stream, offset, length, 0))
        }
    }

    /// Begins to read its bytes.
    /// - Parameters:
    ///   - offset: the first byte.
    ///   - length: how many; 0 is all.
    /// - Throws: `LibvirtError`.
    public func download(offset: UInt64 = 0, length: UInt64 = 0) async throws -> ByteStream {
        try await ByteStream.attached(on: connection) { stream in
            _ = try check(virStorageVolDownload(self.raw, stream, offset, length, 0))
        }
    }
}
