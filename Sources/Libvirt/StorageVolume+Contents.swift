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
    ///
    /// libvirt takes what the daemon sends as fast as it comes: all of it may have to wait in memory.
    /// For more than some megabytes use `contents`.
    /// - Parameters:
    ///   - offset: the first byte.
    ///   - length: how many; 0 is all.
    /// - Throws: `LibvirtError`.
    public func download(offset: UInt64 = 0, length: UInt64 = 0) async throws -> ByteStream {
        try await download(offset: offset, length: length, limit: .max)
    }

    func download(offset: UInt64, length: UInt64, limit: Int) async throws -> ByteStream {
        try await ByteStream.attached(on: connection, limit: limit) { stream in
            _ = try check(virStorageVolDownload(self.raw, stream, offset, length, 0))
        }
    }

    /// Its bytes in order, fetched in parts, so that a slow reader costs the memory of one part only.
    ///
    /// Ends early if the volume does. What is written meanwhile may be seen or not.
    /// - Parameters:
    ///   - offset: the first byte.
    ///   - length: how many.
    ///   - part: how many are fetched at a time.
    public func contents(
        from offset: UInt64 = 0, length: UInt64, part: UInt64 = 8 << 20
    ) -> AsyncThrowingStream<[UInt8], any Error> {
        let reader = PartReader(self, from: offset, length: length, part: max(part, 1))
        return AsyncThrowingStream(unfolding: { try await reader.next() })
    }
}

/// Reads a volume part by part.
private actor PartReader {
    private let volume: StorageVolume
    private let part: UInt64
    private let end: UInt64
    private var position: UInt64
    private var partEnd: UInt64 = 0
    private var stream: ByteStream?

    init(_ volume: StorageVolume, from offset: UInt64, length: UInt64, part: UInt64) {
        self.volume = volume
        self.part = part
        position = offset
        end = offset + min(length, .max - offset)
    }

    func next() async throws -> [UInt8]? {
        while true {
            let current = try await openPart()
            guard let current else { return nil }
            if let bytes = try await current.read() {
                position += UInt64(bytes.count)
                return bytes
            }
            try await current.finish()
            stream = nil
            // Less than was asked for: the volume ends here.
            if position < partEnd { position = end }
        }
    }

    private func openPart() async throws -> ByteStream? {
        if let stream { return stream }
        guard position < end else { return nil }
        let length = min(part, end - position)
        partEnd = position + length
        stream = try await volume.download(offset: position, length: length)
        return stream
    }
}
