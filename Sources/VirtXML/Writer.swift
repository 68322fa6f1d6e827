// SPDX-License-Identifier: Apache-2.0

/// Spells a tree, each node as it was spelt when it was read.
struct Writer {
    var out = ""

    init() { out.reserveCapacity(8192) }

    mutating func write(_ element: Element) {
        out += "<"
        out += element.name
        for attribute in element.attributes { write(attribute) }
        out += element.tail
        guard !(element.children.isEmpty && element.closesItself) else { return out += "/>" }
        out += ">"
        for node in element.children { write(node) }
        out += "</"
        out += element.name
        out += ">"
    }

    private mutating func write(_ attribute: Attribute) {
        out += attribute.lead
        out += attribute.name
        out += attribute.opening
        out += attribute.raw
        out += attribute.opening.utf8.last == UInt8(ascii: "'") ? "'" : "\""
    }

    private mutating func write(_ node: Node) {
        switch node {
        case .element(let element): write(element)
        case .text(let text): out += text.raw
        case .cdata(let text): wrap("<![CDATA[", Self.section(text), "]]>")
        case .comment(let text): wrap("<!--", Self.comment(text), "-->")
        case .processingInstruction(let text): wrap("<?", text.replacing("?>", with: "? >"), "?>")
        }
    }

    private mutating func wrap(_ opening: String, _ text: String, _ closing: String) {
        out += opening
        out += text
        out += closing
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
