// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An image opened for reading a few pieces of it, which need not be there.
struct ImageFile: ~Copyable {
    private let descriptor: Int32
    private let path: String
    /// Bytes; of a block device too.
    let size: Int64

    /// - Throws: ``FileFailure``: of a folder `EISDIR`, of what is neither a file nor a disk `ENOTBLK`. Never
    ///   waits: a device without a medium is refused or read as empty.
    init(path: String) throws(FileFailure) {
        // What is no disk is not even opened, for that may do something to it.
        try Self.refuseOthers(path) { stat($0, $1) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileFailure(path: path) }
        let end: Int64
        do throws(FileFailure) {
            try Self.refuseOthers(path) { _, status in fstat(descriptor, status) }
            end = Int64(lseek(descriptor, 0, SEEK_END))
            guard end >= 0 else { throw FileFailure(path: path) }
        } catch {
            close(descriptor)
            throw error
        }
        (self.descriptor, self.path, size) = (descriptor, path, end)
    }

    deinit { close(descriptor) }

    private static func refuseOthers(
        _ path: String, _ look: (UnsafePointer<CChar>, UnsafeMutablePointer<stat>) -> Int32
    ) throws(FileFailure) {
        var status = stat()
        guard look(path, &status) == 0 else { throw FileFailure(path: path) }
        let type = status.st_mode & S_IFMT
        guard type == S_IFREG || type == S_IFBLK else {
            throw FileFailure(path: path, errno: type == S_IFDIR ? EISDIR : ENOTBLK)
        }
    }

    /// The bytes from `offset`, fewer than `count` where the file ends, or cannot be read.
    func read(_ count: Int, at offset: Int64) -> [UInt8] { part(count, offset).bytes }

    /// The same of what must not be taken for the end of the file.
    /// - Throws: ``FileFailure`` where it cannot be read.
    func readSurely(_ count: Int, at offset: Int64) throws(FileFailure) -> [UInt8] {
        let part = part(count, offset)
        guard part.error == 0 else { throw FileFailure(path: path, errno: part.error) }
        return part.bytes
    }

    private func part(_ count: Int, _ offset: Int64) -> (bytes: [UInt8], error: Int32) {
        guard offset >= 0, offset < size else { return ([], 0) }
        var buffer = [UInt8](repeating: 0, count: count)
        var total = 0
        while total < count {
            let got = buffer.withUnsafeMutableBytes { bytes in
                pread(
                    descriptor, bytes.baseAddress?.advanced(by: total), count - total, off_t(offset) + total)
            }
            if got < 0, errno == EINTR { continue }
            let error = got < 0 ? errno : 0
            if error != 0 { return (Array(buffer[..<total]), error) }
            if got == 0 { break }
            total += got
        }
        return (Array(buffer[..<total]), 0)
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
