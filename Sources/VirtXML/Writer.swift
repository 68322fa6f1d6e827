// SPDX-License-Identifier: Apache-2.0

/// Spells a tree, each node as it was spelt when it was read.
struct Writer {
    private var out: [UInt8] = []

    init() { out.reserveCapacity(8192) }

    var text: String { String(decoding: out, as: UTF8.self) }

    mutating func write(_ string: String) {
        var string = string
        string.withUTF8 { out.append(contentsOf: $0) }
    }

    mutating func write(_ element: Element) {
        out.append(Ascii.less)
        write(element.name)
        for index in element.attributes.indices { write(element.attributes[index]) }
        if case .custom(_, let tail, _) = element.spelling { write(tail) }
        if element.children.isEmpty && element.closesItself { return close() }
        out.append(Ascii.greater)
        for index in element.children.indices { write(element.children[index]) }
        out.append(Ascii.less)
        out.append(Ascii.slash)
        write(element.name)
        out.append(Ascii.greater)
    }

    private mutating func close() {
        out.append(Ascii.slash)
        out.append(Ascii.greater)
    }

    private mutating func write(_ attribute: Attribute) {
        var quote = Ascii.apostrophe
        if case .custom(let lead, let opening) = attribute.spelling {
            write(lead)
            write(attribute.name)
            write(opening)
            quote = opening.utf8.last ?? quote
        } else {
            if case .quotes = attribute.spelling { quote = Ascii.quote }
            out.append(Ascii.space)
            write(attribute.name)
            out.append(Ascii.equals)
            out.append(quote)
        }
        write(attribute.raw)
        out.append(quote)
    }

    private mutating func write(_ node: Node) {
        switch node {
        case .element(let element): write(element)
        case .text(let text): write(text.raw)
        case .cdata(let text): wrap("<![CDATA[", Self.section(text), "]]>")
        case .comment(let text): wrap("<!--", Self.comment(text), "-->")
        case .processingInstruction(let text): wrap("<?", text.replacing("?>", with: "? >"), "?>")
        }
    }

    private mutating func wrap(_ opening: String, _ text: String, _ closing: String) {
        write(opening)
        write(text)
        write(closing)
    }

    // A node made by hand may hold its own terminator, which no parser lets through.

    private static func section(_ text: String) -> String {
        text.utf8.contains(Ascii.greater) ? text.replacing("]]>", with: "]]]]><![CDATA[>") : text
    }

    private static func comment(_ text: String) -> String {
        guard text.utf8.last == Ascii.dash || text.contains("--") else { return text }
        let parted = text.replacing("--", with: "- -").replacing("--", with: "- -")
        return parted.utf8.last == Ascii.dash ? parted + " " : parted
    }
}
