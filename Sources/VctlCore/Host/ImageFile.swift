// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An image opened for reading a few pieces of it, which need not be there.
struct ImageFile: ~Copyable {
    private let descriptor: Int32
    /// Bytes; of a block device too.
    let size: Int64

    /// - Throws: ``FileFailure``. Never waits: a FIFO or device without a medium is refused or read as empty.
    init(path: String) throws(FileFailure) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileFailure(path: path) }
        var status = stat()
        let type = fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        guard type == S_IFREG || type == S_IFBLK else {
            close(descriptor)
            throw FileFailure(path: path, errno: type == S_IFDIR ? EISDIR : EINVAL)
        }
        size = Int64(lseek(descriptor, 0, SEEK_END))
    }

    deinit { close(descriptor) }

    /// The bytes from `offset`, fewer than `count` where the file ends.
    func read(_ count: Int, at offset: Int64) -> [UInt8] {
        guard offset >= 0, offset < size else { return [] }
        var buffer = [UInt8](repeating: 0, count: count)
        var total = 0
        while total < count {
            let got = buffer.withUnsafeMutableBytes { bytes in
                pread(
                    descriptor, bytes.baseAddress?.advanced(by: total), count - total, off_t(offset) + total)
            }
            if got <= 0 { break }
            total += got
        }
        return Array(buffer[..<total])
    }
}

extension Array where Element == UInt8 {
    /// An unsigned number of `T`'s size at a place; `nil` beyond the end.
    func number<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type, at offset: Int, big: Bool) -> T? {
        let size = MemoryLayout<T>.size
        guard offset >= 0, offset + size <= count else { return nil }
        let bytes = self[offset..<offset + size]
        return (big ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | T($1) }
    }

    func big32(_ offset: Int) -> UInt32? { number(UInt32.self, at: offset, big: true) }
    func big64(_ offset: Int) -> UInt64? { number(UInt64.self, at: offset, big: true) }
    func little32(_ offset: Int) -> UInt32? { number(UInt32.self, at: offset, big: false) }
    func little64(_ offset: Int) -> UInt64? { number(UInt64.self, at: offset, big: false) }

    /// Whether these characters stand at a place.
    func has(_ text: String, at offset: Int = 0) -> Bool {
        offset + text.utf8.count <= count && self[offset...].prefix(text.utf8.count).elementsEqual(text.utf8)
    }
}
