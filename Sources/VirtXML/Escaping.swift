// SPDX-License-Identifier: Apache-2.0

/// The bytes that XML's grammar is made of.
enum Ascii {
    static let tab = UInt8(ascii: "\t")
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let less = UInt8(ascii: "<")
    static let greater = UInt8(ascii: ">")
    static let slash = UInt8(ascii: "/")
    static let equals = UInt8(ascii: "=")
    static let ampersand = UInt8(ascii: "&")
    static let exclamation = UInt8(ascii: "!")
    static let question = UInt8(ascii: "?")
    static let dash = UInt8(ascii: "-")
    static let apostrophe = UInt8(ascii: "'")
    static let quote = UInt8(ascii: "\"")

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == space || byte == newline || byte == tab || byte == carriageReturn
    }
}

/// Between what a value is and how it is spelt in a document.
enum Escaping {
    /// libvirt's own spelling: all five reserved characters, in text and in attributes alike.
    /// Blanks that a parser would fold are written as numbers; what XML cannot hold becomes U+FFFD.
    static func escape(_ value: String, attribute: Bool) -> String {
        guard value.utf8.contains(where: { needsCare($0, attribute) }) else { return value }
        var out = ""
        for scalar in value.unicodeScalars { append(scalar, attribute, to: &out) }
        return out
    }

    private static func needsCare(_ byte: UInt8, _ attribute: Bool) -> Bool {
        switch byte {
        case Ascii.ampersand, Ascii.less, Ascii.greater, Ascii.quote, Ascii.apostrophe: true
        case Ascii.newline, Ascii.tab: attribute
        // 0xEF begins U+FFFE and U+FFFF, which are no characters to XML.
        default: byte < 0x20 || byte == 0xEF
        }
    }

    private static func append(_ scalar: Unicode.Scalar, _ attribute: Bool, to out: inout String) {
        switch scalar {
        case "&": out += "&amp;"
        case "<": out += "&lt;"
        case ">": out += "&gt;"
        case "\"": out += "&quot;"
        case "'": out += "&apos;"
        case "\r": out += "&#13;"
        case "\n" where attribute: out += "&#10;"
        case "\t" where attribute: out += "&#9;"
        default: out.unicodeScalars.append(isCharacter(scalar) ? scalar : "\u{FFFD}")
        }
    }

    /// XML 1.0's `Char`.
    static func isCharacter(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x20 { return scalar == "\t" || scalar == "\n" || scalar == "\r" }
        return scalar.value != 0xFFFE && scalar.value != 0xFFFF
    }

    /// The value of a spelling taken from a well-formed document.
    static func unescape(_ raw: String, attribute: Bool) -> String {
        let special = raw.utf8.contains {
            $0 == Ascii.ampersand || $0 == Ascii.carriageReturn
                || (attribute && ($0 == Ascii.newline || $0 == Ascii.tab))
        }
        return special ? unescapeSlowly(raw, attribute) : raw
    }

    private static func unescapeSlowly(_ raw: String, _ attribute: Bool) -> String {
        var out = ""
        var rest = raw.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "&": out.unicodeScalars.append(reference(&rest))
            case "\r":
                if rest.first == "\n" { rest.removeFirst() }
                out += attribute ? " " : "\n"
            case "\n" where attribute, "\t" where attribute: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func reference(_ rest: inout Substring.UnicodeScalarView) -> Unicode.Scalar {
        let name = String(rest.prefix { $0 != ";" })
        rest = rest.dropFirst(name.unicodeScalars.count + 1)
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default: return number(name.dropFirst())
        }
    }

    private static func number(_ digits: Substring) -> Unicode.Scalar {
        let value = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return value.flatMap(Unicode.Scalar.init) ?? "\u{FFFD}"
    }
}
