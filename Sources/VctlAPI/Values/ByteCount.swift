// SPDX-License-Identifier: Apache-2.0

/// A number of bytes, at least one. On the command line `512M`, `20G`, `1.5GiB` (binary units), in JSON an
/// integer.
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number of bytes, 1 to 2^60.
    public let bytes: Int64

    /// 1 EiB: beyond every volume that QEMU opens, and far from overflow.
    public static let maximum: Int64 = 1 << 60

    /// - Throws: ``InvalidValue`` for zero, negative and absurd numbers.
    public init(bytes: Int64) throws(InvalidValue) {
        guard bytes > 0 else {
            throw InvalidValue(value: "\(bytes)", problem: "a size is more than zero bytes")
        }
        guard bytes <= Self.maximum else {
            throw InvalidValue(value: "\(bytes)", problem: "a size is at most 1 EiB (2^60 bytes)")
        }
        self.bytes = bytes
    }

    /// Reads `512M`, `20G`, `1.5GiB`, `4096`.
    /// - Throws: ``InvalidValue`` when it is no size.
    public init(_ text: String) throws(InvalidValue) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
        guard let number = Double(digits), number.isFinite else {
            throw InvalidValue(value: text, problem: "this is no size; write 512M, 20G or 1.5GiB")
        }
        guard let shift = Self.shift(of: text.dropFirst(digits.count)) else {
            throw InvalidValue(value: text, problem: "unknown unit; use K, M, G, T or P (binary)")
        }
        let bytes = number * Double(Int64(1) << shift)
        guard bytes <= Double(Self.maximum) else {
            throw InvalidValue(value: text, problem: "a size is at most 1 EiB (2^60 bytes)")
        }
        guard bytes >= 1 else { throw InvalidValue(value: text, problem: "a size is more than zero bytes") }
        self.bytes = Int64(bytes)
    }

    private static func shift(of unit: Substring) -> Int? {
        switch unit.lowercased() {
        case "", "b": 0
        case "k", "kb", "kib": 10
        case "m", "mb", "mib": 20
        case "g", "gb", "gib": 30
        case "t", "tb", "tib": 40
        case "p", "pb", "pib": 50
        case "e", "eb", "eib": 60
        default: nil
        }
    }

    /// The shortest exact or one-decimal form: `2 GiB`, `1.5 GiB`, `640 KiB`.
    public var description: String { Self.human(bytes) }

    /// A number of bytes for people: binary units, at most one decimal.
    public static func human(_ bytes: Int64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = Double(bytes) / 1024
        var index = 0
        while value >= 1023.95, index + 1 < units.count {
            value /= 1024
            index += 1
        }
        let tenths = Int((value * 10).rounded())
        return (tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)") + " " + units[index]
    }

    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }
}

extension ByteCount: Codable, SchemaProviding {
    public init(from decoder: any Decoder) throws {
        let bytes = try decoder.singleValueContainer().decode(Int64.self)
        do {
            try self.init(bytes: bytes)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.problem, underlyingError: error)
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }

    public static var schema: Schema {
        Schema(type: "integer", format: "int64", minimum: 1, maximum: maximum)
    }
    public static var example: ByteCount { try! ByteCount(bytes: 2 << 30) }
}
