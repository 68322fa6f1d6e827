// SPDX-License-Identifier: Apache-2.0

/// Cuts a text that libxml2 found well-formed into a tree.
///
/// libxml2's own tree forgets quotes, blanks inside tags and the spelling of entities, which a byte-for-byte
/// round trip needs. Since the text is known to be sound and to have no DOCTYPE, nothing is checked again.
struct Scanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func document() -> Document {
        while !startsElement { skipProlog() }
        let prolog = slice(0)
        let root = element(indent: "")
        return Document(prolog: prolog, scanned: root, epilog: slice(at, bytes.count))
    }

    private var startsElement: Bool {
        bytes[at] == Ascii.less && bytes[at + 1] != Ascii.exclamation && bytes[at + 1] != Ascii.question
    }

    private mutating func skipProlog() {
        guard bytes[at] == Ascii.less else { return at += 1 }
        _ = bytes[at + 1] == Ascii.question ? instruction() : comment()
    }

    private mutating func element(indent: String?) -> Element {
        at += 1
        var element = Element(name: name())
        element.indent = indent
        element.attributes = attributes(tail: &element.tail)
        if bytes[at] == Ascii.slash {
            at += 2
            return element
        }
        at += 1
        element.children = content()
        element.closesItself = !element.children.isEmpty
        at = find(Ascii.greater) + 1
        return element
    }

    private mutating func attributes(tail: inout String) -> [Attribute] {
        var found: [Attribute] = []
        while true {
            let start = at
            skipSpace()
            if bytes[at] == Ascii.greater || bytes[at] == Ascii.slash {
                if at > start { tail = slice(start) }
                return found
            }
            if found.isEmpty { found.reserveCapacity(3) }
            found.append(attribute(lead: start))
        }
    }

    private mutating func attribute(lead start: Int) -> Attribute {
        let lead = at == start + 1 && bytes[start] == Ascii.space ? " " : slice(start)
        let name = name()
        let opening = opening()
        let value = at
        at = find(bytes[at - 1])
        let raw = slice(value)
        at += 1
        return Attribute(name: name, raw: raw, lead: lead, opening: opening)
    }

    /// The equals sign with what stands round it, and the quote.
    private mutating func opening() -> String {
        let start = at
        while bytes[at] == Ascii.equals || Ascii.isSpace(bytes[at]) { at += 1 }
        at += 1
        guard at == start + 2 else { return slice(start) }
        return bytes[at - 1] == UInt8(ascii: "'") ? "='" : "=\""
    }

    /// Everything up to the end tag, whose `<` is the next byte afterwards.
    private mutating func content() -> [Node] {
        var nodes: [Node] = []
        var indent: String?
        while true {
            if bytes[at] != Ascii.less {
                let start = at
                at = find(Ascii.less)
                indent = indentation(start)
                nodes.append(.text(Text(raw: slice(start))))
                continue
            }
            switch bytes[at + 1] {
            case Ascii.slash: return nodes
            case Ascii.question: nodes.append(.processingInstruction(instruction()))
            case Ascii.exclamation: nodes.append(commentOrCDATA())
            default: nodes.append(.element(element(indent: indent)))
            }
            indent = nil
        }
    }

    /// The blanks after the last line break of the text that ends here, if it ends in a blank line's start.
    private func indentation(_ start: Int) -> String? {
        var first = at
        while first > start, bytes[first - 1] == Ascii.space || bytes[first - 1] == Ascii.tab { first -= 1 }
        guard first > start, bytes[first - 1] == Ascii.newline else { return nil }
        return slice(first)
    }

    private mutating func commentOrCDATA() -> Node {
        guard bytes[at + 2] == UInt8(ascii: "[") else { return .comment(comment()) }
        return .cdata(delimited(opening: 9, "]]>"))
    }

    private mutating func comment() -> String { delimited(opening: 4, "-->") }

    private mutating func instruction() -> String { delimited(opening: 2, "?>") }

    private mutating func delimited(opening: Int, _ closing: StaticString) -> String {
        let start = at + opening
        let mark = UnsafeBufferPointer(start: closing.utf8Start, count: closing.utf8CodeUnitCount)
        var stop = start
        while !bytes[stop..<(stop + mark.count)].elementsEqual(mark) { stop += 1 }
        at = stop + mark.count
        return slice(start, stop)
    }

    private mutating func name() -> String {
        let start = at
        while true {
            let byte = bytes[at]
            if byte == Ascii.equals || byte == Ascii.greater || byte == Ascii.slash { break }
            if Ascii.isSpace(byte) { break }
            at += 1
        }
        return slice(start)
    }

    private mutating func skipSpace() {
        while Ascii.isSpace(bytes[at]) { at += 1 }
    }

    private func find(_ byte: UInt8) -> Int {
        var index = at
        while bytes[index] != byte { index += 1 }
        return index
    }

    private func slice(_ start: Int) -> String { slice(start, at) }

    private func slice(_ start: Int, _ end: Int) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
    }
}
