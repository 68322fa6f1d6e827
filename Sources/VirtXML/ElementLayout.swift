// SPDX-License-Identifier: Apache-2.0

// Blanks: what is inserted looks like its siblings, what is removed leaves no empty line.
extension Element {
    /// Inserts a child where libvirt writes it: after its likes, else by the parent's usual order, else last.
    public mutating func insert(_ child: Element) {
        insert(child, afterNode: ElementOrder.anchor(for: child.name, in: self))
    }

    /// Inserts a child before the first child of that name; as `insert(_:)` if there is none.
    public mutating func insert(_ child: Element, before name: String) {
        guard let index = index(of: name) else { return insert(child) }
        insert(child, beforeNode: index)
    }

    /// Appends a child as the last one.
    public mutating func append(_ child: Element) {
        insert(child, afterNode: children.lastIndex { !$0.isBlank })
    }

    /// Removes all children that satisfy the predicate, each with its line.
    public mutating func removeElements(where predicate: (Element) -> Bool) {
        var index = children.count
        while index > 0 {
            index -= 1
            guard let child = children[index].element, predicate(child) else { continue }
            removeNode(at: index)
            index = min(index, children.count)
        }
    }

    /// Inserts after the node at `anchor`; as the first element if nil.
    mutating func insert(_ child: Element, afterNode anchor: Int?) {
        guard let anchor else {
            if let first = children.firstIndex(where: { $0.element != nil }) {
                return insert(child, beforeNode: first)
            }
            return children.allSatisfy(\.isBlank) ? insertAlone(child) : append(child)
        }
        guard let inner = childIndent, !isText(anchor) else {
            return children.insert(.element(child), at: anchor + 1)
        }
        let added = [Node.text(Text(raw: "\n" + inner)), .element(child.laidOut(inner))]
        children.insert(contentsOf: added, at: anchor + 1)
        if anchor + added.count == children.count - 1, let indent {
            children.append(.text(Text(raw: "\n" + indent)))
        }
    }

    private mutating func insert(_ child: Element, beforeNode index: Int) {
        guard let inner = childIndent else { return children.insert(.element(child), at: index) }
        children.insert(
            contentsOf: [.element(child.laidOut(inner)), .text(Text(raw: "\n" + inner))], at: index)
    }

    private mutating func insertAlone(_ child: Element) {
        guard let indent else {
            children = [.element(child)]
            return
        }
        let inner = indent + "  "
        children = [
            .text(Text(raw: "\n" + inner)), .element(child.laidOut(inner)), .text(Text(raw: "\n" + indent)),
        ]
    }

    private func isText(_ index: Int) -> Bool {
        switch children[index] {
        case .text, .cdata: !children[index].isBlank
        default: false
        }
    }

    /// Puts another element in a child's place.
    mutating func replaceNode(at index: Int, with child: Element) {
        guard let old = children[index].element, let place = old.indent else {
            children[index] = .element(child)
            return
        }
        children[index] = .element(child.laidOut(place))
    }

    /// Removes a node with the line it stands on.
    mutating func removeNode(at index: Int) {
        children.remove(at: index)
        if index > 0, children[index - 1].isBlank, index == children.count || isLayoutOrMarkup(index) {
            children.remove(at: index - 1)
        } else if index > 0, index < children.count {
            joinTexts(at: index)
        }
        if children.allSatisfy(\.isBlank) { children = [] }
    }

    private func isLayoutOrMarkup(_ index: Int) -> Bool { !isText(index) }

    private mutating func joinTexts(at index: Int) {
        guard case .text(let one) = children[index - 1], case .text(let two) = children[index] else { return }
        children.replaceSubrange((index - 1)...index, with: [.text(Text(raw: one.raw + two.raw))])
    }

    /// The indentation of children: that of the first one on a line of its own, else two blanks more than
    /// ours. nil where the content is written without lines.
    var childIndent: String? {
        var sawElement = false
        for case .element(let child) in children {
            if let indent = child.indent { return indent }
            sawElement = true
        }
        return sawElement ? nil : indent.map { $0 + "  " }
    }

    /// This element with its place in a document: one that was never laid out gets lines for its children.
    func laidOut(_ place: String) -> Element {
        guard indent == nil else { return self }
        var copy = self
        copy.indent = place
        let inner = place + "  "
        guard !children.isEmpty, children.allSatisfy({ $0.isMarkup }) else { return copy }
        copy.children = children.flatMap { [.text(Text(raw: "\n" + inner)), $0.laidOut(inner)] }
        copy.children.append(.text(Text(raw: "\n" + place)))
        return copy
    }
}

extension Node {
    fileprivate var isMarkup: Bool {
        switch self {
        case .element, .comment, .processingInstruction: true
        case .text, .cdata: false
        }
    }

    fileprivate func laidOut(_ place: String) -> Node {
        if case .element(let element) = self { .element(element.laidOut(place)) } else { self }
    }
}
