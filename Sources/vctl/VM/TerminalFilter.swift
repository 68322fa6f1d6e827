// SPDX-License-Identifier: Apache-2.0

/// What a guest has printed, made safe for a terminal on which nobody talks to that guest: text, line ends,
/// tabs and colours pass; every other control is shown, as in `^[`. A log that could retitle a window, answer
/// for the user, or paint over what stands above would be a trap.
struct TerminalFilter {
    private var sequence: [UInt8]?
    /// An unfinished character of UTF-8.
    private var character: [UInt8] = []
    private static let longest = 32

    /// The safe form of the next bytes.
    mutating func pass(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for byte in bytes { take(byte, &result) }
        return result
    }

    /// What is still open at the end.
    mutating func finish() -> [UInt8] {
        defer { (sequence, character) = (nil, []) }
        let rest = sequence.map { $0.flatMap(Self.caret) } ?? []
        return rest + (character.isEmpty ? [] : Self.unknown) + Array("\u{1B}[0m".utf8)
    }

    private mutating func take(_ byte: UInt8, _ result: inout [UInt8]) {
        if var open = sequence {
            open.append(byte)
            sequence = nil
            if Self.isColour(open) {
                result += open
            } else if Self.mayBecomeColour(open), open.count < Self.longest {
                sequence = open
            } else {
                // The byte that broke it off may itself begin something.
                result += open.dropLast().flatMap(Self.caret)
                take(byte, &result)
            }
        } else if byte < 0x80 {
            if !character.isEmpty { result += Self.unknown }
            character = []
            plain(byte, &result)
        } else {
            multibyte(byte, &result)
        }
    }

    private mutating func plain(_ byte: UInt8, _ result: inout [UInt8]) {
        switch byte {
        case 0x1B: sequence = [byte]
        case 0x09, 0x0A, 0x0D, 0x20...0x7E: result.append(byte)
        default: result += Self.caret(byte)
        }
    }

    /// U+0080 to U+009F are controls as well, and so is a lone byte of them to some terminals.
    private mutating func multibyte(_ byte: UInt8, _ result: inout [UInt8]) {
        character.append(byte)
        let length = character[0] >= 0xF0 ? 4 : character[0] >= 0xE0 ? 3 : 2
        guard character[0] >= 0xC2, character.count <= length else {
            character = []
            result += Self.unknown
            return
        }
        guard character.count == length else { return }
        let text = String(validating: character, as: UTF8.self)
        let isControl = text?.unicodeScalars.first.map { $0.value < 0xA0 } ?? true
        result += isControl ? Self.unknown : character
        character = []
    }

    private static let unknown = Array("\u{FFFD}".utf8)

    /// `ESC [ 1 ; 31 m`.
    private static func isColour(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 3 && bytes.last == UInt8(ascii: "m") && mayBecomeColour(bytes.dropLast())
    }

    private static func mayBecomeColour(_ bytes: some Collection<UInt8>) -> Bool {
        var rest = Array(bytes)[...]
        guard rest.popFirst() == 0x1B else { return false }
        guard let bracket = rest.popFirst() else { return true }
        return bracket == UInt8(ascii: "[")
            && rest.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ";") }
    }

    private static func caret(_ byte: UInt8) -> [UInt8] {
        byte < 0x20 || byte == 0x7F ? [UInt8(ascii: "^"), byte ^ 0x40] : [byte]
    }
}
