// SPDX-License-Identifier: Apache-2.0

/// Spells a tree, each node as it was spelt when it was read.
struct Writer: ~Copyable {
    // An array would check at each append whether it is shared; half of the time went there.
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity = 8192
    private var count = 0

    init() { bytes = .allocate(capacity: capacity) }

    deinit { bytes.deallocate() }

    var text: String { String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self) }

    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        capacity = (count + more) * 2
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.initialize(from: bytes, count: count)
        bytes.deallocate()
        bytes = larger
    }

    private mutating func write(_ byte: UInt8) {
        reserve(1)
        bytes[count] = byte
        count += 1
    }

    mutating func write(_ string: String) {
        var string = string
        string.withUTF8 { utf8 in
            guard let base = utf8.baseAddress else { return }
            reserve(utf8.count)
            (bytes + count).update(from: base, count: utf8.count)
            count += utf8.count
        }
    }

    mutating func write(_ element: Element) {
        write(Ascii.less)
        write(element.name)
        for index in element.attributes.indices { write(element.attributes[index]) }
        if case .custom(_, let tail, _) = element.spelling { write(tail) }
        if element.children.isEmpty && element.closesItself { return close() }
        write(Ascii.greater)
        for index in element.children.indices { write(element.children[index]) }
        write(Ascii.less)
        write(Ascii.slash)
        write(element.name)
        write(Ascii.greater)
    }

    private mutating func close() {
        write(Ascii.slash)
        write(Ascii.greater)
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
            write(Ascii.space)
            write(attribute.name)
            write(Ascii.equals)
            write(quote)
        }
        write(attribute.raw)
        write(quote)
    }

    private mutating func write(_ node: Node) {
        switch node {
        case .element(let element): write(element)
        case .text(let text): write(text)
        case .cdata(let text): wrap("<![CDATA[", Self.section(text), "]]>")
        case .comment(let text): wrap("<!--", Self.comment(text), "-->")
        case .processingInstruction(let text): wrap("<?", text.replacing("?>", with: "? >"), "?>")
        }
    }

    private mutating func write(_ text: Text) {
        switch text.spelling {
        case .line(let indent): writeLine(Int(indent))
        case .raw(let raw): write(raw)
        }
    }

    private mutating func writeLine(_ indent: Int) {
        reserve(indent + 1)
        bytes[count] = Ascii.newline
        (bytes + count + 1).update(repeating: Ascii.space, count: indent)
        count += indent + 1
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
