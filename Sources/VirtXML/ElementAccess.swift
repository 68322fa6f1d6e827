// SPDX-License-Identifier: Apache-2.0

extension Element {
    /// The child elements, in document order.
    public var elements: [Element] { children.compactMap(\.element) }

    /// The child elements of this name, in document order.
    public func elements(named name: String) -> [Element] {
        var found: [Element] = []
        for index in children.indices where children[index].isElement(named: name) {
            if case .element(let child) = children[index] { found.append(child) }
        }
        return found
    }

    /// The text and CDATA directly inside. Setting it replaces all content.
    public var text: String {
        get {
            if children.count == 1, case .text(let only) = children[0] { return only.value }
            return children.reduce(into: "") { out, node in
                if case .text(let text) = node { out += text.value }
                if case .cdata(let text) = node { out += text }
            }
        }
        set { children = newValue.isEmpty ? [] : [.text(Text(newValue))] }
    }

    /// Whether there is neither an attribute nor content other than blanks.
    public var isBare: Bool { attributes.isEmpty && children.allSatisfy(\.isBlank) }

    /// An attribute's value. Setting keeps its place and quotes; nil removes it.
    public subscript(attribute name: String) -> String? {
        get { attributes.first { $0.name == name }?.value }
        set {
            guard let index = attributes.firstIndex(where: { $0.name == name }) else {
                if let newValue { attributes.append(Attribute(name, newValue)) }
                return
            }
            if let newValue {
                guard attributes[index].value != newValue else { return }
                attributes[index] = attributes[index].with(newValue)
            } else {
                attributes.remove(at: index)
            }
        }
    }

    /// The first child of this name. Setting replaces it in its place, or inserts it where libvirt would
    /// write it; nil removes it.
    public subscript(child name: String) -> Element? {
        get {
            index(of: name).flatMap { children[$0].element }
        }
        set {
            guard let index = index(of: name) else {
                if let newValue { insert(newValue) }
                return
            }
            if let newValue { replaceNode(at: index, with: newValue) } else { removeNode(at: index) }
        }
    }

    /// The text of the first child of this name. Setting makes the child where it is missing; nil removes it.
    public subscript(text name: String) -> String? {
        get { self[child: name]?.text }
        set {
            guard let newValue else {
                self[child: name] = nil
                return
            }
            edit(name, orInsert: true) { if $0.text != newValue { $0.text = newValue } }
        }
    }

    /// The place of the first child of this name among `children`.
    func index(of name: String) -> Int? {
        children.firstIndex { $0.isElement(named: name) }
    }

    /// Changes the first child of this name in its place, after inserting it if it is missing and may be.
    mutating func edit(_ name: String, orInsert: Bool, _ change: (inout Element) -> Void) {
        if index(of: name) == nil {
            guard orInsert else { return }
            insert(Element(name: name))
        }
        if let index = index(of: name) { editNode(at: index, change) }
    }

    /// Changes the element at a place of `children` without copying it.
    mutating func editNode(at index: Int, _ change: (inout Element) -> Void) {
        guard case .element(var child) = children[index] else { return }
        children[index] = .comment("")
        change(&child)
        children[index] = .element(child)
    }
}
