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
        case .cdata(let text): wrap("<![CDATA[", text.separating("]]>", "]]]]><![CDATA[>"), "]]>")
        case .comment(let text): wrap("<!--", text.separating("--", "- -"), "-->")
        case .processingInstruction(let text): wrap("<?", text.separating("?>", "? >"), "?>")
        }
    }

    private mutating func wrap(_ opening: String, _ text: String, _ closing: String) {
        out += opening
        out += text
        out += closing
    }
}

extension String {
    /// A node made by hand may hold its own terminator, which no parser lets through.
    fileprivate func separating(_ terminator: String, _ replacement: String) -> String {
        var text = self
        while let found = text.firstRange(of: terminator) {
            if replacement.contains(terminator) {
                return text.split(separator: terminator, omittingEmptySubsequences: false)
                    .joined(separator: replacement)
            }
            text.replaceSubrange(found, with: replacement)
        }
        return text
    }
}
