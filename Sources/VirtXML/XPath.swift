// SPDX-License-Identifier: Apache-2.0

/// The place of something that an XPath expression found. It is good for the document that was searched,
/// and until elements are inserted or removed before it.
public struct NodePath: Sendable, Hashable {
    /// What was found at the place.
    public enum Target: Sendable, Hashable {
        /// The element.
        case element
        /// Its text.
        case text
        /// One of its attributes, by its name with prefix.
        case attribute(String)
    }

    /// From the root down, the number of each element among the child elements of its parent.
    public let elements: [Int]
    /// What was found there.
    public let target: Target
}

/// Why an XPath expression gave no places.
public enum XPathError: Error, Sendable, Hashable {
    /// libxml2 cannot read or evaluate it, or it takes too much work.
    case invalid(String)
    /// It gives a number, a string or a truth value, not nodes.
    case notNodes(String)
}

extension Document {
    /// The places that an XPath 1.0 expression finds, in document order; a relative one begins at the root
    /// element. Prefixes mean what `namespaces` says
    /// (prefix to URI), then what the root declares. Comments and other nodes without a value are left out.
    public func matches(
        xpath: String, namespaces: [String: String] = [:]
    ) throws(XPathError) -> [NodePath] {
        try XPath(self, xpath, namespaces).evaluate()
    }

    /// The value at a place.
    public subscript(value path: NodePath) -> String? {
        guard let element = root.element(at: path.elements[...]) else { return nil }
        switch path.target {
        case .element, .text: return element.text
        case .attribute(let name): return element[attribute: name]
        }
    }

    /// Sets an attribute, or an element's text, at a place; nil removes the attribute or the element.
    /// The root stays. Returns false when there is no such place.
    @discardableResult
    public mutating func set(_ value: String?, at path: NodePath) -> Bool {
        root.set(value, at: path.elements[...], path.target)
    }
}

extension Element {
    fileprivate func place(_ ordinal: Int) -> Int? {
        var left = ordinal
        return children.firstIndex {
            guard $0.element != nil else { return false }
            left -= 1
            return left < 0
        }
    }

    fileprivate func element(at places: ArraySlice<Int>) -> Element? {
        guard let first = places.first else { return self }
        return place(first).flatMap { children[$0].element?.element(at: places.dropFirst()) }
    }

    fileprivate mutating func set(
        _ value: String?, at places: ArraySlice<Int>, _ target: NodePath.Target
    ) -> Bool {
        guard let first = places.first else { return set(value, target) }
        guard let index = place(first) else { return false }
        if places.count == 1, value == nil, target == .element {
            removeNode(at: index)
            return true
        }
        var done = false
        editNode(at: index) { done = $0.set(value, at: places.dropFirst(), target) }
        return done
    }

    private mutating func set(_ value: String?, _ target: NodePath.Target) -> Bool {
        switch target {
        case .attribute(let name): self[attribute: name] = value
        case .text: setText(value ?? "")
        case .element:
            guard let value else { return false }
            setText(value)
        }
        return true
    }
}
