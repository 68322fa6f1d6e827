// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The header of a qcow2 image (QEMU's docs/interop/qcow2.txt), read by ourselves: a tool that opens a
/// hostile image would already have opened the files that it names.
struct Qcow2Header: Hashable, Sendable {
    /// 2 (compat 0.10) or 3 (compat 1.1).
    let version: Int
    let virtualSizeBytes: Int64
    /// The image that this one reads from.
    let backingFile: String?
    /// Whether the guest's data are in another file, and its name where it is given.
    let hasDataFile: Bool
    let dataFile: String?
    let isEncrypted: Bool
    /// It was not closed cleanly; harmless, but reference counts may be stale.
    let isDirty: Bool
    /// QEMU found it inconsistent and refuses to write to it.
    let isCorrupt: Bool
    let internalSnapshots: Int
    /// Features without which it must not be opened, beyond those that the specification names.
    let hasUnknownFeatures: Bool

    /// Why bytes are no header.
    enum Fault: Error, Hashable, Sendable {
        /// It ends before what it says it contains.
        case truncated
        /// A field that no image can have, named.
        case invalid(String)
    }

    private static let known: UInt64 = 0b11111

    /// Reads the header of an image that begins with qcow2's magic.
    init(_ file: borrowing ImageFile) throws(Fault) {
        let bytes = file.read(64 << 10, at: 0)
        guard let version = bytes.big32(4), let size = bytes.big64(24), bytes.count >= 72 else {
            throw .truncated
        }
        guard version == 2 || version == 3 else { throw .invalid("version \(version)") }
        guard size <= UInt64(Int64.max) else { throw .invalid("size") }
        let features = version == 3 ? bytes.big64(72) ?? 0 : 0
        self.version = Int(version)
        virtualSizeBytes = Int64(size)
        hasDataFile = features & 0b100 != 0
        isDirty = features & 0b1 != 0
        isCorrupt = features & 0b10 != 0
        hasUnknownFeatures = features & ~Self.known != 0
        isEncrypted = bytes.big32(32) != 0
        internalSnapshots = Int(bytes.big32(60) ?? 0)
        backingFile = try Self.backingFile(bytes)
        dataFile = Self.text(ofExtension: Self.dataFileName, bytes, version: version)
        try Self.checkTables(bytes, fileSize: file.size)
    }

    /// A file that an image names, and the format that it says to open it as.
    struct Reference: Hashable, Sendable {
        var name: String
        var format: String?
    }

    /// The files that the image at `path` names, its backing file and its data file, however damaged the rest
    /// of it is; none where there is none, or what is there is no qcow2.
    /// - Throws: ``FileFailure`` where it cannot be read: nobody knows then.
    static func references(ofFileAt path: String) throws(FileFailure) -> [Reference] {
        do throws(FileFailure) { return try references(in: ImageFile(path: path)) } catch {
            if [ENOENT, ENOTDIR, EISDIR, ENOTBLK].contains(error.errno) { return [] }
            throw error
        }
    }

    private static func references(in file: borrowing ImageFile) throws(FileFailure) -> [Reference] {
        let head = try file.readSurely(4096, at: 0)
        guard head.big32(0) == 0x5146_49FB, let version = head.big32(4) else { return [] }
        // Names stand behind the header and its extensions, nearly always within the first page.
        let (end, isFar) = (head.big64(8) ?? 0).addingReportingOverflow(UInt64(head.big32(16) ?? 0))
        let bytes = isFar || end > UInt64(head.count) ? try file.readSurely(64 << 10, at: 0) : head
        let format = text(ofExtension: backingFormat, bytes, version: version)
        let backing = ((try? backingFile(bytes)) ?? nil).map { Reference(name: $0, format: format) }
        let data = text(ofExtension: dataFileName, bytes, version: version).map {
            Reference(name: $0, format: "raw")
        }
        return [backing, data].compactMap { $0 }
    }

    private static func backingFile(_ bytes: [UInt8]) throws(Fault) -> String? {
        guard let offset = bytes.big64(8), let length = bytes.big32(16) else { throw .truncated }
        // QEMU takes an offset without a length for no backing file; so do we.
        guard offset != 0, length != 0 else { return nil }
        guard length <= 1023 else { throw .invalid("backing file name") }
        guard offset <= UInt64(bytes.count), UInt64(length) <= UInt64(bytes.count) - offset else {
            throw .truncated
        }
        return String(decoding: bytes[Int(offset)..<Int(offset) + Int(length)], as: UTF8.self)
    }

    /// The types of two header extensions (QEMU's docs/interop/qcow2.txt).
    private static let dataFileName: UInt32 = 0x4441_5441
    private static let backingFormat: UInt32 = 0xE279_2ACA

    /// The text in a header extension.
    private static func text(ofExtension wanted: UInt32, _ bytes: [UInt8], version: UInt32) -> String? {
        var offset = version == 3 ? Int(bytes.big32(100) ?? 104) : 72
        while let type = bytes.big32(offset), let length = bytes.big32(offset + 4), type != 0 {
            let start = offset + 8
            guard Int(length) <= bytes.count - start else { return nil }
            if type == wanted {
                return String(decoding: bytes[start..<start + Int(length)], as: UTF8.self)
            }
            offset = start + (Int(length) + 7) / 8 * 8
        }
        return nil
    }

    /// An image that is cut off before its tables' ends lacks what no tool can make up.
    private static func checkTables(_ bytes: [UInt8], fileSize: Int64) throws(Fault) {
        guard let clusterBits = bytes.big32(20), let entries = bytes.big32(36), let table = bytes.big64(40),
            let refcounts = bytes.big64(48), let refcountClusters = bytes.big32(56)
        else { throw .truncated }
        guard (9...21).contains(clusterBits) else { throw .invalid("cluster size") }
        let size = UInt64(fileSize)
        let ends = [
            table.addingReportingOverflow(UInt64(entries) * 8),
            refcounts.addingReportingOverflow(UInt64(refcountClusters) << UInt64(clusterBits)),
        ]
        for end in ends where end.overflow || end.partialValue > size { throw .truncated }
    }
}
