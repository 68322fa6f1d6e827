// SPDX-License-Identifier: Apache-2.0

/// An element as a value: changing a copy changes nothing else.
///
/// Equality looks at names, attributes with their order, and content; not at quotes, blanks inside tags, or
/// whether an empty element is written `<a/>` or `<a></a>`. All of these are kept when it is written.
public struct Element: Sendable, Hashable {
    /// The name with its prefix, as in `qemu:commandline`.
    public var name: String
    /// The attributes in document order; namespace declarations are among them.
    public var attributes: [Attribute]
    /// The content in document order; blanks between elements are text nodes.
    public var children: [Node]
    /// Where and how it is written.
    var spelling = ElementSpelling.plain(indent: -1, closesItself: true)

    /// A new element. `name` must be an XML name. It takes its indentation from where it is inserted.
    public init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String? = nil) {
        precondition(Element.isName(name), "'\(name)' is no XML name")
        self.init(name: name)
        self.attributes = attributes.map { Attribute($0.key, $0.value) }
        if let text { self.text = text }
    }

    /// A new element with children.
    public init(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:], children: [Element]
    ) {
        self.init(name, attributes)
        self.children = children.map(Node.element)
    }

    init(name: String) {
        self.name = name
        attributes = []
        children = []
    }

    /// Whether names, attributes and content are the same.
    public static func == (one: Element, other: Element) -> Bool {
        one.name == other.name && one.attributes == other.attributes && one.children == other.children
    }

    /// Hashes what `==` compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(attributes)
        hasher.combine(children)
    }

    /// The name without its prefix.
    public var localName: String { Element.split(name).local }
    /// The prefix of the name, without its colon.
    public var prefix: String? { Element.split(name).prefix }

    static func split(_ name: String) -> (prefix: String?, local: String) {
        guard let colon = name.utf8.firstIndex(of: UInt8(ascii: ":")) else { return (nil, name) }
        return (String(name[..<colon]), String(name[name.utf8.index(after: colon)...]))
    }

    /// Whether `name` can name an element or an attribute (ASCII's part of the rule is checked exactly).
    public static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, isNameStart(first) else { return false }
        return name.utf8.allSatisfy {
            isNameStart($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E
        }
    }

    private static func isNameStart(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
