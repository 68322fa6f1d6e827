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
        let root = element(line: at)
        return Document(prolog: prolog, scanned: root, epilog: slice(at, bytes.count))
    }

    private var startsElement: Bool {
        bytes[at] == Ascii.less && bytes[at + 1] != Ascii.exclamation && bytes[at + 1] != Ascii.question
    }

    private mutating func skipProlog() {
        guard bytes[at] == Ascii.less else {
            at += 1
            return
        }
        _ = bytes[at + 1] == Ascii.question ? instruction() : comment()
    }

    /// `line` is where the blanks before the element begin; -1 if something else stands there.
    private mutating func element(line: Int) -> Element {
        let start = at
        at += 1
        var element = Element(name: name())
        var tail = 0..<0
        element.attributes = attributes(&tail)
        var closesItself = true
        if bytes[at] == Ascii.slash {
            at += 2
        } else {
            at += 1
            element.children = content()
            closesItself = !element.children.isEmpty
            at = find(Ascii.greater) + 1
        }
        element.spelling = spelling(line, start, tail, closesItself)
        return element
    }

    private func spelling(_ line: Int, _ start: Int, _ tail: Range<Int>, _ closes: Bool) -> ElementSpelling {
        if tail.isEmpty {
            if line < 0 { return .plain(indent: -1, closesItself: closes) }
            let isPlain = start - line < 1000 && !bytes[line..<start].contains(Ascii.tab)
            if isPlain { return .plain(indent: Int16(start - line), closesItself: closes) }
        }
        let indent = line < 0 ? nil : slice(line, start)
        return ElementSpelling(
            indent: indent, tail: slice(tail.lowerBound, tail.upperBound), closesItself: closes)
    }

    private mutating func attributes(_ tail: inout Range<Int>) -> [Attribute] {
        var found: [Attribute] = []
        while true {
            let start = at
            skipSpace()
            if bytes[at] == Ascii.greater || bytes[at] == Ascii.slash {
                tail = start..<at
                return found
            }
            if found.isEmpty { found.reserveCapacity(3) }
            found.append(attribute(lead: start))
        }
    }

    private mutating func attribute(lead start: Int) -> Attribute {
        let lead = start..<at
        let name = name()
        let equals = at
        while bytes[at] == Ascii.equals || Ascii.isSpace(bytes[at]) { at += 1 }
        at += 1
        let value = at
        at = find(bytes[at - 1])
        let raw = slice(value)
        at += 1
        return Attribute(name: name, raw: raw, spelling: spelling(lead, equals..<value))
    }

    private func spelling(_ lead: Range<Int>, _ opening: Range<Int>) -> AttributeSpelling {
        guard lead.count == 1, bytes[lead.lowerBound] == Ascii.space, opening.count == 2 else {
            return .custom(
                lead: slice(lead.lowerBound, lead.upperBound),
                opening: slice(opening.lowerBound, opening.upperBound))
        }
        return bytes[opening.upperBound - 1] == Ascii.apostrophe ? .apostrophes : .quotes
    }

    /// Everything up to the end tag, whose `<` is the next byte afterwards.
    private mutating func content() -> [Node] {
        var nodes: [Node] = []
        var line = -1
        while true {
            if bytes[at] != Ascii.less {
                let start = at
                at = find(Ascii.less)
                line = lineStart(start)
                nodes.append(.text(text(start, line)))
                continue
            }
            switch bytes[at + 1] {
            case Ascii.slash: return nodes
            case Ascii.question: nodes.append(.processingInstruction(instruction()))
            case Ascii.exclamation: nodes.append(commentOrCDATA())
            default: nodes.append(.element(element(line: line)))
            }
            line = -1
        }
    }

    /// Where the line begins that ends here, if the text since `start` has a line break and then only blanks.
    private func lineStart(_ start: Int) -> Int {
        var first = at
        while first > start, bytes[first - 1] == Ascii.space || bytes[first - 1] == Ascii.tab { first -= 1 }
        return first > start && bytes[first - 1] == Ascii.newline ? first : -1
    }

    private func text(_ start: Int, _ line: Int) -> Text {
        let isPlain = line == start + 1 && at - line < 1000 && !bytes[line..<at].contains(Ascii.tab)
        return isPlain ? Text(line: UInt16(at - line)) : Text(raw: slice(start))
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
