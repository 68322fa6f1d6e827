// SPDX-License-Identifier: Apache-2.0
import CZlib

/// A picture of a screen: 8 bits each of red, green and blue.
struct Picture: Equatable, Sendable {
    let width: Int
    let height: Int
    /// Row by row, three bytes a point.
    let points: [UInt8]

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
        points = Array(bytes[start..<(start + width * height * 3)])
    }

    /// The picture as PNG (RFC 2083).
    var png: [UInt8] {
        var header = Self.big(UInt32(width)) + Self.big(UInt32(height))
        // 8 bits, RGB, deflate, no filter but those of the rows, not interlaced.
        header += [8, 2, 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + Self.chunk("IHDR", header) + Self.chunk("IDAT", Self.deflated(rows)) + Self.chunk("IEND", [])
    }

    /// Each row behind its filter, which is none: screens are mostly of one colour.
    private var rows: [UInt8] {
        let length = width * 3
        var rows: [UInt8] = []
        rows.reserveCapacity(height * (length + 1))
        for row in 0..<height {
            rows.append(0)
            rows.append(contentsOf: points[(row * length)..<((row + 1) * length)])
        }
        return rows
    }

    private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var length = compressBound(uLong(bytes.count))
        return [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, filled in
            // With a buffer of compressBound bytes it fails only without memory, where nothing else goes on.
            let code = compress2(buffer.baseAddress, &length, bytes, uLong(bytes.count), 6)
            precondition(code == Z_OK, "zlib has no memory")
            filled = Int(length)
        }
    }

    private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(type.utf8) + data
        return big(UInt32(data.count)) + body + big(UInt32(crc32(0, body, uInt(body.count))))
    }

    private static func big(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
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
