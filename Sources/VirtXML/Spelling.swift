// SPDX-License-Identifier: Apache-2.0

// What libvirt writes fits into a few bits; only odd spellings cost memory.

/// The quotes of an attribute, and the blanks round it.
enum AttributeSpelling: Sendable, Hashable {
    case apostrophes
    case quotes
    /// `lead` stands before the name; `opening` between name and value, the quote included.
    indirect case custom(lead: String, opening: String)
}

/// Where an element stands, and how its tags are written.
enum ElementSpelling: Sendable {
    /// `indent` blanks begin its line; -1: it has no line of its own.
    case plain(indent: Int16, closesItself: Bool)
    /// `tail` stands before the end of the start tag.
    indirect case custom(indent: String?, tail: String, closesItself: Bool)

    /// The spelling with the fewest bits.
    init(indent: String?, tail: String, closesItself: Bool) {
        let spaces = indent.map { $0.utf8.allSatisfy { $0 == Ascii.space } ? $0.utf8.count : Int.max } ?? -1
        if tail.isEmpty, let spaces = Int16(exactly: spaces) {
            self = .plain(indent: spaces, closesItself: closesItself)
        } else {
            self = .custom(indent: indent, tail: tail, closesItself: closesItself)
        }
    }
}

extension Element {
    /// The blanks at the start of this element's line; nil when it has no line of its own: it was never laid
    /// out in a document, or its document has no lines.
    var indent: String? {
        get {
            switch spelling {
            case .plain(let count, _): count < 0 ? nil : String(repeating: " ", count: Int(count))
            case .custom(let indent, _, _): indent
            }
        }
        set { spelling = ElementSpelling(indent: newValue, tail: tail, closesItself: closesItself) }
    }

    /// The blanks before the end of the start tag.
    var tail: String {
        if case .custom(_, let tail, _) = spelling { tail } else { "" }
    }

    /// How the element is written while it has no content.
    var closesItself: Bool {
        switch spelling {
        case .plain(_, let closes), .custom(_, _, let closes): closes
        }
    }
}
