// SPDX-License-Identifier: Apache-2.0

/// Characters between tags. Equal when they mean the same, however they are spelt (`&#65;` equals `A`).
public struct Text: Sendable, Hashable {
    enum Spelling: Sendable {
        /// A line break and so many blanks: half of all nodes in libvirt's output, kept without a string.
        case line(UInt16)
        /// As in the document, with its entities.
        case raw(String)
    }

    let spelling: Spelling

    init(raw: String) { spelling = .raw(raw) }

    init(line indent: UInt16) { spelling = .line(indent) }

    /// Text that means `value`; what XML reserves is escaped as libvirt escapes it.
    public init(_ value: String) { spelling = .raw(Escaping.escape(value, attribute: false)) }

    /// The spelling in the document, with its entities.
    var raw: String {
        switch spelling {
        case .line(let indent): "\n" + String(repeating: " ", count: Int(indent))
        case .raw(let raw): raw
        }
    }

    var isBlank: Bool {
        if case .raw(let raw) = spelling { raw.utf8.allSatisfy(Ascii.isSpace) } else { true }
    }

    /// The meaning, without entities.
    public var value: String { Escaping.unescape(raw, attribute: false) }

    /// Whether both mean the same.
    public static func == (one: Text, other: Text) -> Bool {
        if case .line(let one) = one.spelling, case .line(let other) = other.spelling { return one == other }
        return one.raw == other.raw || one.value == other.value
    }

    /// Hashes the meaning.
    public func hash(into hasher: inout Hasher) { hasher.combine(value) }
}
