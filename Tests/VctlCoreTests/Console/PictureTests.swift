// SPDX-License-Identifier: Apache-2.0
import CZlib
import Testing

@testable import VctlCore

struct PictureTests {
    private func ppm(_ head: String, _ points: [UInt8]) -> [UInt8] { Array(head.utf8) + points }

    @Test(arguments: ["P6 2 1 255\n", "P6\n# QEMU\n2 1\n#x\n255\n", "P6\t2\r\n1 255 "])
    func pixmapsAreRead(head: String) throws {
        let picture = try Picture(ppm: ppm(head, [1, 2, 3, 35, 10, 32]))
        #expect(picture.width == 2 && picture.height == 1 && Array(picture.points) == [1, 2, 3, 35, 10, 32])
    }

    @Test(arguments: [
        "", "P6", "P5 1 1 255\n", "P6 1 1 65535\n", "P6 0 1 255\n", "P6 1 70000 255\n", "P6 -1 1 255\n",
        "P6 1 1 255", "P6 1 1 255\n", "P6 9999999999999999999 1 255\n", "P6 65535 65535 255\n", "P6 1 1 #",
    ])
    func whatIsNoPixmapIsRefused(head: String) {
        #expect(throws: Picture.Unreadable.self) { _ = try Picture(ppm: ppm(head, [0, 0])) }
    }

    @Test(arguments: [(1, 1), (3, 5), (160, 120), (400, 300)])
    func thePNGHoldsThePoints(width: Int, height: Int) throws {
        let points = (0..<(width * height * 3)).map { UInt8(truncatingIfNeeded: ($0 &* 40_503) >> 7) }
        let png = try Picture(ppm: ppm("P6 \(width) \(height) 255\n", points)).png
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        let chunks = try chunks(png)
        #expect(chunks.map(\.type) == ["IHDR", "IDAT", "IEND"])
        #expect(number(chunks[0].data[0..<4]) == width && number(chunks[0].data[4..<8]) == height)
        #expect(chunks[0].data[8...] == [8, 2, 0, 0, 0])
        var length = uLong(height * (width * 3 + 1))
        var rows = [UInt8](repeating: 0xFF, count: Int(length))
        try #require(uncompress(&rows, &length, chunks[1].data, uLong(chunks[1].data.count)) == Z_OK)
        let found = stride(from: 0, to: rows.count, by: width * 3 + 1).flatMap { start in
            #expect(rows[start] == 0)
            return rows[(start + 1)..<(start + 1 + width * 3)]
        }
        #expect(Array(found) == points)
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    private func chunks(_ png: [UInt8]) throws -> [(type: String, data: [UInt8])] {
        var rest = png.dropFirst(8)
        var result: [(String, [UInt8])] = []
        while !rest.isEmpty {
            let length = number(rest.prefix(4))
            let body = Array(rest.dropFirst(4).prefix(length + 4))
            let sum = number(rest.dropFirst(8 + length).prefix(4))
            #expect(UInt(sum) == crc32(0, body, uInt(body.count)), "the checksum")
            result.append((String(decoding: body.prefix(4), as: UTF8.self), Array(body.dropFirst(4))))
            rest = rest.dropFirst(12 + length)
        }
        return result
    }
}
