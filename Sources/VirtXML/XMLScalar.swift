// SPDX-License-Identifier: Apache-2.0

/// A value that an attribute or a text spells.
public protocol XMLScalar: Sendable, Hashable {
    /// The value of a spelling; nil if it has none.
    init?(xml: String)
    /// The spelling.
    var xml: String { get }
}

extension String: XMLScalar {
    /// The text itself.
    public init?(xml: String) { self = xml }
    /// The text itself.
    public var xml: String { self }
}

extension Int: XMLScalar {
    /// A decimal number, blanks round it allowed.
    public init?(xml: String) { self.init(xml.withoutBlanks) }
    /// Decimal.
    public var xml: String { String(self) }
}

extension UInt64: XMLScalar {
    /// A decimal number, blanks round it allowed.
    public init?(xml: String) { self.init(xml.withoutBlanks) }
    /// Decimal.
    public var xml: String { String(self) }
}

extension Bool: XMLScalar {
    /// `yes` and `no`, `on` and `off`.
    public init?(xml: String) {
        switch xml {
        case "yes", "on": self = true
        case "no", "off": self = false
        default: return nil
        }
    }
    /// `yes` or `no`.
    public var xml: String { self ? "yes" : "no" }
}

extension String {
    var withoutBlanks: Substring {
        let start = drop(while: \.isWhitespace)
        return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? ""
    }
}

/// libvirt's units of memory and storage.
enum Unit {
    /// Bytes in one of a unit; nil for a word that libvirt does not know.
    static func bytes(_ unit: String) -> UInt64? {
        let word = unit.lowercased()
        if word == "b" || word == "byte" || word == "bytes" { return 1 }
        guard let letter = word.first, let power = "kmgtpe".firstIndex(of: letter) else { return nil }
        let exponent = "kmgtpe".distance(from: "kmgtpe".startIndex, to: power) + 1
        let base: UInt64
        switch word.dropFirst() {
        case "", "ib": base = 1024
        case "b": base = 1000
        default: return nil
        }
        return (0..<exponent).reduce(1) { product, _ in product * base }
    }
}
