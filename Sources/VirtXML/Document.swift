// SPDX-License-Identifier: Apache-2.0

/// A whole XML document as a value.
public struct Document: Sendable, Hashable, CustomStringConvertible {
    /// What stands before the root: declaration, comments, instructions, blanks.
    var prolog: String
    /// The root element.
    public var root: Element
    /// What stands after the root.
    var epilog: String

    init(prolog: String, scanned root: Element, epilog: String) {
        self.prolog = prolog
        self.root = root
        self.epilog = epilog
    }

    /// A new document round an element, which gets its indentation.
    public init(root: Element) {
        self.init(prolog: "", scanned: root.laidOut(""), epilog: "\n")
    }

    /// The document that a text spells. Entities, DOCTYPEs and files are never followed.
    public init(parsing text: String, limits: XMLLimits = XMLLimits()) throws(XMLSyntaxError) {
        var text = text
        self = try text.withUTF8 { bytes in
            Result { () throws(XMLSyntaxError) in try Document(sound: bytes, limits) }
        }.get()
    }

    /// The document that bytes of UTF-8 spell.
    public init(parsing bytes: [UInt8], limits: XMLLimits = XMLLimits()) throws(XMLSyntaxError) {
        guard bytes.count <= limits.bytes else {
            throw WellFormedness.tooLarge(bytes.count, limits)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw XMLSyntaxError(.notUTF8, "the document is not UTF-8")
        }
        try self.init(parsing: text, limits: limits)
    }

    private init(sound bytes: UnsafeBufferPointer<UInt8>, _ limits: XMLLimits) throws(XMLSyntaxError) {
        try WellFormedness.check(bytes, limits: limits)
        var scanner = Scanner(bytes)
        self = scanner.document()
    }

    /// The text of the document: byte for byte what was parsed, but for what was edited.
    public func serialized() -> String {
        var writer = Writer()
        writer.write(prolog)
        writer.write(root)
        writer.write(epilog)
        return writer.text
    }

    /// The same as `serialized()`.
    public var description: String { serialized() }

    /// Whether both roots, and what stands before and after them apart from blanks, are the same.
    public static func == (one: Document, other: Document) -> Bool {
        one.root == other.root && trimmed(one.prolog) == trimmed(other.prolog)
            && trimmed(one.epilog) == trimmed(other.epilog)
    }

    /// Hashes the root.
    public func hash(into hasher: inout Hasher) { hasher.combine(root) }

    private static func trimmed(_ text: String) -> Substring {
        let start = text.drop(while: \.isWhitespace)
        return start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? ""
    }
}
