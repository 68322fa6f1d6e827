// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What an image file is, by its own bytes, before any tool opens it.
struct ImageProbe: Hashable, Sendable {
    /// `raw` where nothing else is recognised.
    let format: DiskFormat
    /// Bytes of the file.
    let fileSizeBytes: Int64
    /// Only of a qcow2.
    let qcow2: Qcow2Header?
    /// Why it must not be opened; `nil`: nothing speaks against it.
    let refusal: Refusal?

    /// Why an image is not accepted.
    enum Refusal: Hashable, Sendable {
        /// It reads from another file, named.
        case backingFile(String)
        /// Its data are in another file.
        case dataFile(String)
        case encrypted
        /// It is marked as inconsistent.
        case corrupt
        /// It ends before what it says it contains.
        case truncated
        /// A field that no image can have.
        case invalid(String)
        /// A known kind of file that is no usable image, named.
        case unsupported(String)
        case empty
    }

    /// - Throws: ``FileFailure`` when the file cannot be read.
    init(path: String) throws(FileFailure) {
        let file = try ImageFile(path: path)
        self.init(file, try file.readSurely(4096, at: 0))
    }

    /// The format of a file that is some disk image, whatever else speaks against it.
    /// - Throws: ``FileFailure``; ``Problem`` `image.format` for what is known to be none.
    static func format(ofFileAt path: String) throws -> DiskFormat {
        let probe = try ImageProbe(path: path)
        if case .unsupported(let what) = probe.refusal {
            throw Problem(.imageFormat, "\(shown(path)) is no disk image but \(what)")
        }
        return probe.format
    }

    private init(_ file: borrowing ImageFile, _ head: [UInt8]) {
        fileSizeBytes = file.size
        let kind = Self.kind(head, file)
        format = kind.format
        var header: Qcow2Header?
        var refusal = file.size == 0 ? .empty : kind.refusal
        if kind.format == .qcow2, refusal == nil {
            do throws(Qcow2Header.Fault) {
                let read = try Qcow2Header(file)
                header = read
                refusal = read.refusal
            } catch {
                refusal = error.refusal
            }
        }
        if kind.format == .vmdk, refusal == nil { refusal = VMDKHeader.refusal(file) }
        qcow2 = header
        self.refusal = refusal
    }

    private static func kind(_ head: [UInt8], _ file: borrowing ImageFile) -> (
        format: DiskFormat, refusal: Refusal?
    ) {
        if head.has("QFI\u{1}") || head.big32(0) == 0x5146_49FB {
            return head.big32(4) == 1 ? (.qcow2, .unsupported("qcow, version 1")) : (.qcow2, nil)
        }
        if head.has("KDMV") { return (.vmdk, nil) }
        if head.has("COWD") { return (.vmdk, .unsupported("ESX's sparse VMDK")) }
        if head.has("# Disk DescriptorFile") { return (.vmdk, .dataFile("its extents")) }
        if head.little32(0x40) == 0xBEDA_107F { return (.vdi, nil) }
        if head.has("vhdxfile") { return (.vhdx, nil) }
        if head.has("conectix") || file.read(512, at: file.size - 512).has("conectix") { return (.vpc, nil) }
        return (.raw, foreign(head))
    }

    /// Files that would pass as raw and never boot.
    private static func foreign(_ head: [UInt8]) -> Refusal? {
        let kinds: [(magic: [UInt8], name: String)] = [
            ([0x1F, 0x8B], "a gzip file; unpack it first"),
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "an xz file; unpack it first"),
            ([0x28, 0xB5, 0x2F, 0xFD], "a zstd file; unpack it first"),
            (Array("BZh".utf8), "a bzip2 file; unpack it first"),
            (Array("PK\u{3}\u{4}".utf8), "a zip file; unpack it first"),
            (Array("LUKS".utf8) + [0xBA, 0xBE], "a LUKS container"),
            (Array("QED\0".utf8), "a QED image"),
            (Array("WithoutFreeSpace".utf8), "a Parallels image"),
            (Array("WithouFreSpacExt".utf8), "a Parallels image"),
        ]
        if let kind = kinds.first(where: { head.starts(with: $0.magic) }) { return .unsupported(kind.name) }
        return head.has("ustar", at: 257) ? .unsupported("a tar archive (an OVA?); unpack it first") : nil
    }
}

extension Qcow2Header {
    /// Why this image must not be opened as one that stands alone.
    var refusal: ImageProbe.Refusal? {
        if let backingFile { return .backingFile(backingFile) }
        if hasDataFile || dataFile != nil { return .dataFile(dataFile ?? "unnamed") }
        if isEncrypted { return .encrypted }
        if isCorrupt { return .corrupt }
        return hasUnknownFeatures ? .unsupported("a qcow2 with unknown features") : nil
    }
}

extension Qcow2Header.Fault {
    fileprivate var refusal: ImageProbe.Refusal {
        switch self {
        case .truncated: .truncated
        case .invalid(let field): .invalid(field)
        }
    }
}

/// The header of a VMDK, as far as it can name other files.
enum VMDKHeader {
    /// Why this one must not be opened.
    static func refusal(_ file: borrowing ImageFile) -> ImageProbe.Refusal? {
        let head = file.read(512, at: 0)
        guard let capacity = head.little64(12), let start = head.little64(28), let count = head.little64(36)
        else {
            return .truncated
        }
        // Without a capacity of its own it is a descriptor in disguise, whose extents are other files.
        guard capacity != 0 else { return .dataFile("its extents") }
        // A descriptor is a page of text; 2048 sectors are QEMU's own limit for it.
        guard start < 1 << 40, count <= 2048 else { return .invalid("descriptor") }
        let text = String(decoding: file.read(Int(count) * 512, at: Int64(start) * 512), as: UTF8.self)
        return refusal(descriptor: text)
    }

    private static func refusal(descriptor: String) -> ImageProbe.Refusal? {
        var hasParent = false
        for line in descriptor.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.trimmingBlanksAndQuotes }
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "parentcid": hasParent = parts[1].lowercased() != "ffffffff"
            case "parentfilenamehint": return .backingFile(parts[1])
            default: continue
            }
        }
        return hasParent ? .backingFile("its parent") : nil
    }
}

extension Substring {
    fileprivate var trimmingBlanksAndQuotes: String {
        let isEdge = { (character: Character) in character.isWhitespace || character == "\"" }
        let start = drop(while: isEdge)
        return start.lastIndex { !isEdge($0) }.map { String(start[...$0]) } ?? ""
    }
}
