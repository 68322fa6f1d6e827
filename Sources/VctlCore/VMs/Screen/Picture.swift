// SPDX-License-Identifier: Apache-2.0
import CZlib

/// A picture of a screen: 8 bits each of red, green and blue.
struct Picture: Equatable, Sendable {
    let width: Int
    let height: Int
    /// Row by row, three bytes a point; a part of the file, which is not copied.
    let points: ArraySlice<UInt8>

    /// What is wrong with a picture that cannot be read.
    struct Unreadable: Error, Equatable {
        let reason: String
    }

    /// A side of a screen is not longer.
    static let longestSide = 65_535

    /// Reads a binary portable pixmap (`P6`), which QEMU makes.
    /// - Throws: ``Unreadable``.
    init(ppm bytes: [UInt8]) throws {
        var scanner = PPMScanner(bytes: bytes)
        guard scanner.word() == Array("P6".utf8) else { throw Unreadable(reason: "it is no binary PPM") }
        guard let width = scanner.number(), let height = scanner.number(), let most = scanner.number(),
            (1...Self.longestSide).contains(width), (1...Self.longestSide).contains(height)
        else { throw Unreadable(reason: "its size cannot be read") }
        guard most == 255 else { throw Unreadable(reason: "its colours go to \(most), not to 255") }
        // Exactly one byte of space is between the head and the points.
        let start = scanner.at + 1
        guard bytes.count - start >= width * height * 3 else { throw Unreadable(reason: "it is cut off") }
        self.width = width
        self.height = height
        points = bytes[start..<(start + width * height * 3)]
    }

    /// The picture as PNG (RFC 2083).
    var png: [UInt8] {
        var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        Self.append("IHDR", to: &png) { data in
            data += Self.big(UInt32(width)) + Self.big(UInt32(height))
            // 8 bits, RGB, deflate, no filter but those of the rows, not interlaced.
            data += [8, 2, 0, 0, 0]
        }
        Self.append("IDAT", to: &png, appendRows)
        Self.append("IEND", to: &png) { _ in }
        return png
    }

    /// Each row behind its filter, which is none: screens are mostly of one colour.
    private func appendRows(to data: inout [UInt8]) {
        let deflater = Deflater()
        let length = width * 3
        for row in 0..<height {
            let start = points.startIndex + row * length
            deflater.append([0], to: &data)
            deflater.append(points[start..<(start + length)], to: &data)
        }
        deflater.finish(&data)
    }

    /// A chunk is its length, its name, its data, and the checksum of the latter two.
    private static func append(_ name: String, to png: inout [UInt8], _ fill: (inout [UInt8]) -> Void) {
        let start = png.count
        png += [0, 0, 0, 0] + Array(name.utf8)
        fill(&png)
        png.replaceSubrange(start..<(start + 4), with: big(UInt32(png.count - start - 8)))
        let sum = png[(start + 4)...].withUnsafeBufferPointer {
            crc32(0, $0.baseAddress, uInt($0.count))
        }
        png += big(UInt32(sum))
    }

    private static func big(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}

/// Deflates piece by piece (zlib). Without memory, where nothing else goes on, it ends the process.
private final class Deflater {
    // Its state knows the place of the stream, which so must not move.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init() {
        stream.initialize(to: z_stream())
        let code = deflateInit_(stream, 6, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(code == Z_OK, "zlib has no memory")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        bytes.withUnsafeBufferPointer { input in
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = uInt(input.count)
            while stream.pointee.avail_in > 0 { _ = run(Z_NO_FLUSH, &output) }
        }
    }

    /// Writes what is left.
    func finish(_ output: inout [UInt8]) {
        while run(Z_FINISH, &output) != Z_STREAM_END {}
    }

    private func run(_ flush: Int32, _ output: inout [UInt8]) -> Int32 {
        let count = buffer.count
        let code = buffer.withUnsafeMutableBufferPointer { room in
            stream.pointee.next_out = room.baseAddress
            stream.pointee.avail_out = uInt(count)
            return deflate(stream, flush)
        }
        precondition(code == Z_OK || code == Z_STREAM_END, "zlib cannot deflate")
        output += buffer[..<(count - Int(stream.pointee.avail_out))]
        return code
    }
}

/// The words of a PPM's head; a `#` begins a comment.
private struct PPMScanner {
    let bytes: [UInt8]
    var at = 0

    mutating func word() -> [UInt8] {
        skip()
        let start = at
        while at < bytes.count, !isSpace(bytes[at]), at - start < 32 { at += 1 }
        return Array(bytes[start..<at])
    }

    mutating func number() -> Int? {
        let digits = word()
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private mutating func skip() {
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "#") {
                while at < bytes.count, bytes[at] != 0x0A { at += 1 }
            } else if isSpace(bytes[at]) {
                at += 1
            } else {
                return
            }
        }
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
