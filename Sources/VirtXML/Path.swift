// SPDX-License-Identifier: Apache-2.0

/// A way down from an element: names, and where one name is not enough a condition.
/// `"devices/disk"` is a path; so is `Path("devices").child("disk", where: "target/@dev", equals: "vda")`.
public struct Path: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    struct Step: Sendable, Hashable {
        let name: String
        var conditions: [Condition] = []

        func accepts(_ element: Element) -> Bool {
            element.name == name
                && conditions.allSatisfy { $0.leaf.value(in: element) == $0.value }
        }
    }

    struct Condition: Sendable, Hashable {
        let leaf: LeafPath
        let value: String
    }

    var steps: [Step]

    /// Names divided by slashes; the empty string is the element itself.
    public init(_ names: String) {
        steps = names.split(separator: "/").map { Step(name: String($0)) }
    }

    /// The same as `init(_:)`.
    public init(stringLiteral names: String) { self.init(names) }

    /// The path to a child of what this one leads to.
    public func child(_ name: String) -> Path {
        var path = self
        path.steps.append(Step(name: name))
        return path
    }

    /// The path to the child of which a value is known: `leaf` is `@name`, `name`, or `a/b/@name`.
    public func child(_ name: String, where leaf: String, equals value: String) -> Path {
        var path = self
        path.steps.append(Step(name: name, conditions: [Condition(leaf: LeafPath(leaf), value: value)]))
        return path
    }

    /// The path in XPath's notation.
    public var description: String {
        steps.map { step in
            step.name + step.conditions.map { "[\($0.leaf)='\($0.value)']" }.joined()
        }.joined(separator: "/")
    }
}

/// The way to a value: down to an element, and there its text or one of its attributes.
struct LeafPath: Sendable, Hashable, CustomStringConvertible {
    let steps: [String]
    /// nil: the text.
    let attribute: String?

    /// `name`, `a/b`, `@name`, `a/b/@name`; the empty string is the element's own text.
    init(_ path: String) {
        var parts = path.split(separator: "/").map(String.init)
        attribute = parts.last?.first == "@" ? String(parts.removeLast().dropFirst()) : nil
        steps = parts
    }

    var description: String {
        (steps + (attribute.map { ["@" + $0] } ?? [])).joined(separator: "/")
    }

    func value(in element: Element) -> String? {
        guard let end = element.descendant(steps[...]) else { return nil }
        return attribute.map { end[attribute: $0] } ?? end.text
    }

    /// nil removes the value, and every element on the way that it leaves bare.
    func set(_ value: String?, in element: inout Element) {
        guard let value else { return self.value(in: element) == nil ? () : remove(from: &element) }
        element.edit(steps[...], orInsert: true) { end in
            if let attribute { end[attribute: attribute] = value } else { end.setText(value) }
        }
    }

    private func remove(from element: inout Element) {
        element.edit(steps[...], orInsert: false) { end in
            if let attribute { end[attribute: attribute] = nil } else { end.text = "" }
        }
        element.prune(steps[...])
    }
}

extension Element {
    /// Sets the text unless it is that already: its spelling is kept.
    mutating func setText(_ value: String) {
        if text != value { text = value }
    }

    /// Removes what is bare on the way down, from the end up.
    mutating func prune(_ steps: ArraySlice<String>) {
        guard let name = steps.first, let index = index(of: name) else { return }
        editNode(at: index) { $0.prune(steps.dropFirst()) }
        if children[index].element?.isBare == true { removeNode(at: index) }
    }

    func descendant(_ steps: ArraySlice<String>) -> Element? {
        guard let name = steps.first else { return self }
        guard let index = index(of: name), case .element(let child) = children[index] else { return nil }
        return child.descendant(steps.dropFirst())
    }

    mutating func edit(_ steps: ArraySlice<String>, orInsert: Bool, _ change: (inout Element) -> Void) {
        guard let name = steps.first else { return change(&self) }
        edit(name, orInsert: orInsert) { $0.edit(steps.dropFirst(), orInsert: orInsert, change) }
    }
}
