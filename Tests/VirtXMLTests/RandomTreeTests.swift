// SPDX-License-Identifier: Apache-2.0
import Testing
import VirtXML

/// Random trees of everything that XML can hold.
private struct TreeMaker {
    var random: SeededGenerator

    private let letters = Array("abcxyzABC019 \t\n\r<>&'\"]-é漢😀\u{1}\u{FFFE};#".unicodeScalars)
    private let names = ["a", "b", "disk", "x:y", "_n", "long-element.name", "ü"]

    mutating func element(depth: Int) -> Element {
        var element = Element(names.randomElement(using: &random)!)
        element.attributes = [Attribute("xmlns:x", "urn:x")]
        for name in ["one", "x:two", "three"] where Bool.random(using: &random) {
            element[attribute: name] = text()
        }
        var lastWasText = false
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            let node = node(depth: depth)
            if case .text(let text) = node, lastWasText || text.value.isEmpty { continue }
            if case .text = node { lastWasText = true } else { lastWasText = false }
            element.children.append(node)
        }
        return element
    }

    private mutating func node(depth: Int) -> Node {
        switch Int.random(in: 0...6, using: &random) {
        case 0: .comment(plain())
        case 1: .cdata(plain())
        case 2: .processingInstruction("target " + plain())
        case 3: .text(Text(text()))
        default: depth > 0 ? .element(element(depth: depth - 1)) : .text(Text(text()))
        }
    }

    private mutating func text() -> String {
        var out = ""
        for _ in 0..<Int.random(in: 0...24, using: &random) {
            out.unicodeScalars.append(letters.randomElement(using: &random)!)
        }
        return out
    }

    /// Without what a comment, a section or an instruction cannot hold.
    private mutating func plain() -> String {
        String(
            text().unicodeScalars.filter {
                $0 != "-" && $0 != ">" && $0 != "\u{1}" && $0 != "\u{FFFE}" && $0 != "\r"
            })
    }
}

@Suite struct RandomTreeTests {
    @Test(arguments: 1...40) func writtenAndReadAgain(_ seed: UInt64) throws {
        var maker = TreeMaker(random: SeededGenerator(seed: seed))
        for _ in 0..<25 {
            let document = Document(root: maker.element(depth: 5))
            let text = document.serialized()
            let again = try Document(parsing: text)
            try #require(again == document, "seed \(seed): \(text)")
            #expect(again.serialized() == text)
            #expect(again.hashValue == document.hashValue)
        }
    }

    @Test(arguments: 1...20) func editsOfRandomTreesStaySound(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed &+ 1000)
        var maker = TreeMaker(random: SeededGenerator(seed: seed))
        var document = Document(root: maker.element(depth: 4))
        for step in 0..<30 {
            let name = ["a", "b", "disk", "new"].randomElement(using: &random)!
            switch step % 4 {
            case 0: document.root.insert(Element(name, ["n": String(step)], text: "t"))
            case 1: document.root[child: name] = Element(name, children: [Element("in")])
            case 2: document.root[text: name] = "v\(step) <&>"
            default: document.root[child: name] = nil
            }
            let again = try Document(parsing: document.serialized())
            #expect(again.serialized() == document.serialized())
        }
    }

    @Test func terminatorsInsideNodesCannotBreakOut() throws {
        var root = Element("a")
        root.children = [.comment("x--><b/><!--"), .cdata("x]]><b/>"), .processingInstruction("p ?><b/>")]
        let document = try Document(parsing: Document(root: root).serialized())
        #expect(document.root.elements.isEmpty)
        #expect(document.root.text.contains("x]]><b/>"))
        root.children = [.comment("ends with a dash-")]
        #expect(throws: Never.self) { try Document(parsing: Document(root: root).serialized()) }
    }
}
