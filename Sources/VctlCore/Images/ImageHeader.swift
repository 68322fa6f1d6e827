// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// A look at the first bytes of a disk image, before any tool opens it: a hostile header can name another file of
/// the host, and a tool that opens the image would open that too.
enum ImageHeader {
    /// - Throws: ``Problem`` `image.backingFile`, `image.format` or `image.corrupt`.
    static func check(_ path: String, _ format: DiskFormat) throws {
        let head = try Bytes(path: path, count: 64 << 10)
        switch format {
        case .qcow2: try checkQcow2(head)
        case .vmdk: try checkVMDK(head)
        case .vdi: try checkVDI(head, path)
        case .vhdx, .vpc, .raw: break
        }
    }

    private static func checkQcow2(_ head: Bytes) throws {
        guard let version = head.big32(4), let backing = head.big64(8), let crypt = head.big32(32) else {
            throw ImageTools.corrupt("its header is cut off")
        }
        guard version == 2 || version == 3 else {
            throw Problem(.imageFormat, "qcow2 of version \(version) is not known; convert it to version 3")
        }
        guard backing == 0 else {
            let length = Int(head.big32(16) ?? 0)
            let name = backing < 64 << 10 ? head.text(Int(backing), min(length, 1023)) : "outside its header"
            throw ImageTools.foreignFile("a backing file", name)
        }
        guard crypt == 0 else { throw ImageTools.encrypted }
        // Bit 2 of the incompatible features: the data is in another file.
        if version == 3, let features = head.big64(72), features & 4 != 0 {
            throw ImageTools.foreignFile("an external data file", "named in its header")
        }
    }

    /// Only the kinds that hold their data themselves: one with a descriptor alone names files of the host.
    private static func checkVMDK(_ head: Bytes) throws {
        let magic = head.text(0, 4)
        guard magic == "KDMV", let capacity = head.little64(12), capacity > 0 else {
            throw ImageTools.foreignFile("other files", "named in its descriptor")
        }
        let descriptor = head.little64(28).map { Int(clamping: $0) &* 512 } ?? 0
        let size = head.little64(36).map { Int(clamping: $0) &* 512 } ?? 0
        guard descriptor > 0, descriptor < 64 << 10 else { return }
        let text = head.text(descriptor, min(max(size, 0), 20 << 10))
        if text.contains("parentFileNameHint") {
            throw ImageTools.foreignFile("a parent", "named in its descriptor")
        }
    }

    /// qemu-img does not notice that a VDI is cut off.
    private static func checkVDI(_ head: Bytes, _ path: String) throws {
        guard let data = head.little32(344), let block = head.little32(376), let extra = head.little32(380),
            let allocated = head.little32(388)
        else { throw ImageTools.corrupt("its header is cut off") }
        let end = Int64(data) + Int64(allocated) * (Int64(block) + Int64(extra))
        guard let size = FileStamp(path: path)?.size, size >= end else {
            throw ImageTools.corrupt("it should have \(end) bytes")
        }
    }
}

/// The beginning of a file.
private struct Bytes {
    private let bytes: [UInt8]

    init(path: String, count: Int) throws {
        guard let file = FileHandle(forReadingAtPath: path) else { throw Blocking.error(path) }
        defer { try? file.close() }
        bytes = Array(try file.read(upToCount: count) ?? Data())
    }

    func text(_ offset: Int, _ count: Int) -> String {
        guard offset >= 0, count >= 0, offset + count <= bytes.count else { return "" }
        return String(decoding: bytes[offset..<(offset + count)], as: UTF8.self)
    }

    func big32(_ offset: Int) -> UInt32? { number(offset, 4).map { UInt32($0.reduce(0) { $0 << 8 | UInt64($1) }) } }
    func big64(_ offset: Int) -> UInt64? { number(offset, 8).map { $0.reduce(0) { $0 << 8 | UInt64($1) } } }
    func little32(_ offset: Int) -> UInt32? {
        number(offset, 4).map { UInt32($0.reversed().reduce(0) { $0 << 8 | UInt64($1) }) }
    }
    func little64(_ offset: Int) -> UInt64? { number(offset, 8).map { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } } }

    private func number(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
        offset + count <= bytes.count ? bytes[offset..<(offset + count)] : nil
    }
}
