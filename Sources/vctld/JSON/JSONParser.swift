// SPDX-License-Identifier: Apache-2.0

/// Reads one JSON value (RFC 8259), stricter than most: no duplicate keys, no U+0000, at most
/// ``maximumDepth`` levels. Where two readers could understand a text differently, it is refused.
struct JSONParser {
    /// How deep arrays and objects may be nested.
    static let maximumDepth = 64

    private let bytes: [UInt8]
    private var index = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The value of the whole text.
    /// - Throws: ``JSONSyntaxError`` with the place.
    static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
        var parser = JSONParser(bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.index == bytes.count else { throw parser.error("there is more after the JSON value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        guard depth <= Self.maximumDepth else {
            throw error("values are nested deeper than \(Self.maximumDepth) levels")
        }
        switch peek {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return .number(try number())
        case nil: throw error("the text ends where a value should be")
        default: throw error("a value should be here")
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> [String: JSONValue] {
        index += 1
        var members: [String: JSONValue] = [:]
        if skip(UInt8(ascii: "}")) { return members }
        repeat {
            skipSpace()
            let start = index
            guard peek == UInt8(ascii: "\"") else { throw error("a key in double quotes should be here") }
            let key = try string()
            guard members[key] == nil else {
                throw error("the key \"\(key.prefix(64))\" is there twice", at: start)
            }
            guard skip(UInt8(ascii: ":")) else { throw error("a colon should be here") }
            members[key] = try value(depth: depth + 1)
        } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "}")) else { throw error("a comma or } should be here") }
        return members
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
        index += 1
        var elements: [JSONValue] = []
        if skip(UInt8(ascii: "]")) { return elements }
        repeat { elements.append(try value(depth: depth + 1)) } while skip(UInt8(ascii: ","))
        guard skip(UInt8(ascii: "]")) else { throw error("a comma or ] should be here") }
        return elements
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue
    {
        let matches = text.withUTF8Buffer { bytes[index...].starts(with: $0) }
        guard matches else { throw error("a value should be here") }
        index += text.utf8CodeUnitCount
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> String {
        let start = index
        if peek == UInt8(ascii: "-") { index += 1 }
        if peek == UInt8(ascii: "0") { index += 1 } else { try digits() }
        if peek == UInt8(ascii: ".") {
            index += 1
            try digits()
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            index += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { index += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = index
        while let byte = peek, isDigit(byte) { index += 1 }
        guard index > start else { throw error("a digit should be here") }
    }
}

extension JSONParser {
    private mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        let start = index
        while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
            index += 1
        }
        guard peek == UInt8(ascii: "\"") else { return try escapedString(from: start) }
        defer { index += 1 }
        return try text(bytes[start..<index], at: start)
    }

    private mutating func escapedString(from start: Int) throws(JSONSyntaxError) -> String {
        var unescaped = Array(bytes[start..<index])
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return try text(unescaped[...], at: start)
            case UInt8(ascii: "\\"): unescaped.append(contentsOf: Array(String(try escape()).utf8))
            case ..<0x20: throw error("a control character in a string must be escaped")
            default:
                unescaped.append(byte)
                index += 1
            }
        }
        throw error("the text ends inside a string")
    }

    private func text(_ bytes: ArraySlice<UInt8>, at start: Int) throws(JSONSyntaxError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw error("this string is no valid UTF-8", at: start)
        }
        return text
    }

    private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let start = index
        index += 1
        guard let byte = peek else { throw error("the text ends inside a string") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try scalar(from: start)
        default: throw error("this is no escape of JSON", at: start)
        }
    }

    private mutating func scalar(from start: Int) throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try hexadecimal()
        guard first != 0 else { throw error("a string cannot hold U+0000", at: start) }
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, peek == UInt8(ascii: "\\") else {
            throw error("half a surrogate pair", at: start)
        }
        index += 1
        guard peek == UInt8(ascii: "u") else { throw error("half a surrogate pair", at: start) }
        index += 1
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second) else { throw error("half a surrogate pair", at: start) }
        return Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))!
    }

    private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hexadecimal digits should be here")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}

extension JSONParser {
    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    /// Skips space, and then `byte` if it is there.
    private mutating func skip(_ byte: UInt8) -> Bool {
        skipSpace()
        guard peek == byte else { return false }
        index += 1
        return true
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private func error(_ problem: String, at position: Int? = nil) -> JSONSyntaxError {
        let before = bytes.prefix(position ?? index)
        let line = before.count { $0 == 0x0A } + 1
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONSyntaxError(problem: problem, line: line, column: before.count - lineStart + 1)
    }
}
