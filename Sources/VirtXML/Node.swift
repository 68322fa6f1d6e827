// SPDX-License-Identifier: Apache-2.0

/// One piece of an element's content.
public enum Node: Sendable, Hashable {
    /// A child element.
    case element(Element)
    /// Characters between tags, blanks included.
    case text(Text)
    /// A CDATA section; its content as it stands.
    case cdata(String)
    /// A comment; what stands between `<!--` and `-->`.
    case comment(String)
    /// A processing instruction; what stands between `<?` and `?>`.
    case processingInstruction(String)

    /// The child element, if this is one.
    public var element: Element? {
        if case .element(let element) = self { element } else { nil }
    }

    /// Whether this is text of blanks alone: layout, not content.
    public var isBlank: Bool {
        if case .text(let text) = self { text.isBlank } else { false }
    }

    /// Whether this is a child element of that name; unlike `element` it copies nothing.
    func isElement(named name: String) -> Bool {
        if case .element(let element) = self { element.name == name } else { false }
    }
}

/// One attribute. Equal when name and meaning are; quotes and blanks around it are layout, which is kept.
public struct Attribute: Sendable, Hashable {
    /// The name with its prefix, as in `xmlns:qemu`.
    public let name: String
    /// The spelling in the document, with its entities.
    let raw: String
    /// The quotes and the blanks.
    let spelling: AttributeSpelling

    init(name: String, raw: String, spelling: AttributeSpelling) {
        self.name = name
        self.raw = raw
        self.spelling = spelling
    }

    /// An attribute in libvirt's spelling. `name` must be an XML name.
    public init(_ name: String, _ value: String) {
        precondition(Element.isName(name), "'\(name)' is no XML name")
        self.init(
            name: name, raw: Escaping.escape(value, attribute: true), spelling: .apostrophes)
    }

    /// The meaning, without entities.
    public var value: String { Escaping.unescape(raw, attribute: true) }

    /// This attribute in its place and with its quotes, but with another value.
    func with(_ value: String) -> Attribute {
        Attribute(
            name: name, raw: Escaping.escape(value, attribute: true), spelling: spelling)
    }

    /// Whether name and meaning are the same.
    public static func == (one: Attribute, other: Attribute) -> Bool {
        one.name == other.name && (one.raw == other.raw || one.value == other.value)
    }

    /// Hashes name and meaning.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(value)
    }
}
