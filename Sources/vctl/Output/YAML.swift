// SPDX-License-Identifier: Apache-2.0
import VctlClient

/// Writes a JSON value as YAML 1.2 that a YAML 1.1 reader understands alike.
enum YAML {
    /// A whole document.
    static func text(_ node: JSONNode) -> String {
        var result = ""
        switch node {
        case .array(let elements) where !elements.isEmpty: append(elements, indent: 0, to: &result)
        case .object(let members) where !members.isEmpty: append(members, indent: 0, to: &result)
        default: result = scalar(node) + "\n"
        }
        return result
    }

    private static func append(
        _ members: [JSONNode.Member], indent: Int, first: String? = nil, to text: inout String
    ) {
        let pad = String(repeating: " ", count: indent)
        for (index, member) in members.enumerated() {
            text += (index == 0 ? first : nil) ?? pad
            text += quoted(member.name) + ":"
            switch member.value {
            case .array(let elements) where !elements.isEmpty:
                text += "\n"
                append(elements, indent: indent, to: &text)
            case .object(let inner) where !inner.isEmpty:
                text += "\n"
                append(inner, indent: indent + 2, to: &text)
            default: text += " " + scalar(member.value) + "\n"
            }
        }
    }

    private static func append(_ elements: [JSONNode], indent: Int, to text: inout String) {
        let pad = String(repeating: " ", count: indent)
        for element in elements {
            switch element {
            case .object(let members) where !members.isEmpty:
                append(members, indent: indent + 2, first: pad + "- ", to: &text)
            case .array(let inner) where !inner.isEmpty:
                text += pad + "-\n"
                append(inner, indent: indent + 2, to: &text)
            default: text += pad + "- " + scalar(element) + "\n"
            }
        }
    }

    private static func scalar(_ node: JSONNode) -> String {
        switch node {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): quoted(text)
        case .array: "[]"
        case .object: "{}"
        }
    }

    /// Plain where no reader can take it for something else, else in double quotes.
    static func quoted(_ text: String) -> String {
        if isPlain(text) { return text }
        var result = "\""
        for scalar in text.unicodeScalars { result += escaped(scalar) }
        return result + "\""
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "/") else { return false }
        let others: [UInt8] = [0x2D, 0x2E, 0x2F, 0x5F]
        guard text.utf8.allSatisfy({ isLetter($0) || (0x30...0x39).contains($0) || others.contains($0) })
        else {
            return false
        }
        return !words.contains(text.lowercased())
    }

    /// What YAML 1.1 reads as truth values and null.
    private static let words: Set<String> = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"]

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\t": return "\\t"
        case "\r": return "\\r"
        default: break
        }
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F: return "\\x" + hex(scalar.value, 2)
        case 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFFE...0xFFFF:
            return "\\u" + hex(scalar.value, 4)
        default: return String(Character(scalar))
        }
    }

    private static func hex(_ value: UInt32, _ width: Int) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
