// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259) from bytes that stay in place.
struct JSONParser {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    private var depth = 0
    /// Deeper nesting than any reply has; it keeps a hostile one from using up the stack.
    private static let maximumDepth = 128

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func document() throws -> JSONNode {
        let node = try value()
        try expectEnd()
        return node
    }

    mutating func elements() throws -> [(node: JSONNode, range: Range<Int>)] {
        skipSpace()
        try expect(UInt8(ascii: "["))
        var result: [(node: JSONNode, range: Range<Int>)] = []
        skipSpace()
        if peek == UInt8(ascii: "]") {
            at += 1
        } else {
            repeat {
                skipSpace()
                let start = at
                result.append((try value(), start..<at))
            } while try goesOn(until: UInt8(ascii: "]"))
        }
        try expectEnd()
        return result
    }

    private mutating func value() throws -> JSONNode {
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try nested { try $0.object() }
        case UInt8(ascii: "["): return try nested { try $0.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func nested(_ read: (inout JSONParser) throws -> JSONNode) throws -> JSONNode {
        depth += 1
        guard depth <= Self.maximumDepth else { throw problem("nested too deep") }
        at += 1
        defer { depth -= 1 }
        return try read(&self)
    }

    private mutating func object() throws -> JSONNode {
        var members: [JSONNode.Member] = []
        skipSpace()
        if peek == UInt8(ascii: "}") {
            at += 1
            return .object([])
        }
        repeat {
            skipSpace()
            let name = try string()
            skipSpace()
            try expect(UInt8(ascii: ":"))
            members.append(.init(name: name, value: try value()))
        } while try goesOn(until: UInt8(ascii: "}"))
        return .object(members)
    }

    private mutating func array() throws -> JSONNode {
        var elements: [JSONNode] = []
        skipSpace()
        if peek == UInt8(ascii: "]") {
            at += 1
            return .array([])
        }
        repeat { elements.append(try value()) } while try goesOn(until: UInt8(ascii: "]"))
        return .array(elements)
    }

    /// After an element: `true` behind a comma, `false` behind the closing bracket.
    private mutating func goesOn(until close: UInt8) throws -> Bool {
        skipSpace()
        guard let byte = peek, byte == close || byte == UInt8(ascii: ",") else {
            throw problem("a comma is missing")
        }
        at += 1
        return byte != close
    }

    private mutating func number() throws -> String {
        let start = at
        while let byte = peek, isNumeric(byte) { at += 1 }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<at]), as: UTF8.self)
        guard Int64(text) != nil || Double(text) != nil else { throw problem("no value") }
        return text
    }

    private func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private mutating func word(_ text: StaticString, _ node: JSONNode) throws -> JSONNode {
        let count = text.utf8CodeUnitCount
        guard at + count <= bytes.count, (0..<count).allSatisfy({ bytes[at + $0] == text.utf8Start[$0] })
        else {
            throw problem("no value")
        }
        at += count
        return node
    }

    // MARK: Strings

    private mutating func string() throws -> String {
        try expect(UInt8(ascii: "\""))
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") { at += 1 }
        let plain = UnsafeRawBufferPointer(rebasing: bytes[start..<at])
        guard let byte = peek else { throw problem("a string does not end") }
        if byte == UInt8(ascii: "\"") {
            at += 1
            return String(decoding: plain, as: UTF8.self)
        }
        return try escapedString(Array(plain))
    }

    private mutating func escapedString(_ begun: [UInt8]) throws -> String {
        var result = begun
        while let byte = peek {
            at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: result, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                result += try escape()
            } else {
                result.append(byte)
            }
        }
        throw problem("a string does not end")
    }

    private mutating func escape() throws -> [UInt8] {
        guard let byte = peek else { throw problem("a string does not end") }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return Array(String(Character(try unicode())).utf8)
        default: throw problem("unknown escape")
        }
    }

    private mutating func unicode() throws -> Unicode.Scalar {
        let first = try fourDigits()
        guard (0xD800..<0xDC00).contains(first), at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
            bytes[at + 1] == UInt8(ascii: "u")
        else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
        at += 2
        let second = try fourDigits()
        guard (0xDC00..<0xE000).contains(second) else { return "\u{FFFD}" }
        return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    private mutating func fourDigits() throws -> UInt32 {
        guard at + 4 <= bytes.count else { throw problem("a string does not end") }
        let text = String(decoding: bytes[at..<(at + 4)], as: UTF8.self)
        guard text.allSatisfy(\.isHexDigit), let value = UInt32(text, radix: 16) else {
            throw problem("bad escape")
        }
        at += 4
        return value
    }

    // MARK: Bytes

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while at < bytes.count, bytes[at] == 0x20 || (0x09...0x0D).contains(bytes[at]) { at += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws {
        guard peek == byte else { throw problem("'\(Character(Unicode.Scalar(byte)))' is missing") }
        at += 1
    }

    private mutating func expectEnd() throws {
        skipSpace()
        guard at == bytes.count else { throw problem("more follows") }
    }

    private func problem(_ what: String) -> ClientError { .malformed("no JSON at byte \(at): \(what)") }
}
