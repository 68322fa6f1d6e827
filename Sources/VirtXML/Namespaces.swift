// SPDX-License-Identifier: Apache-2.0

extension Element {
    /// The namespace that a prefix has by this element's own declarations; nil stands for no prefix.
    public func declaredNamespace(_ prefix: String?) -> String? {
        self[attribute: prefix.map { "xmlns:" + $0 } ?? "xmlns"]
    }

    /// The namespace of this element's name, by its own declarations and then those of `ancestors`,
    /// the nearest first.
    public func namespace(in ancestors: [Element] = []) -> String? {
        let prefix = prefix
        for scope in [self] + ancestors {
            if let uri = scope.declaredNamespace(prefix) { return uri.isEmpty ? nil : uri }
        }
        return nil
    }
}

/// A view of an element that has a `<metadata>` child, where every program keeps its own under a namespace.
public protocol MetadataView: XMLView {}

extension MetadataView {
    /// The element of this namespace in `<metadata>`.
    public func metadata(namespace: String) -> Element? {
        guard let metadata = element[child: "metadata"] else { return nil }
        return metadata.elements.first { $0.namespace(in: [metadata, element]) == namespace }
    }

    /// Puts an element into `<metadata>` in the place of the one of that namespace; nil removes it.
    /// Others' metadata stay. The element's name needs no prefix: it gets `prefix`, and its declaration.
    public mutating func setMetadata(_ new: Element?, namespace: String, prefix: String) {
        let root = element
        if let new {
            let qualified = new.qualified(prefix, namespace)
            element.edit("metadata", orInsert: true) { metadata in
                guard let index = metadata.index(namespace, [root]) else { return metadata.append(qualified) }
                metadata.replaceNode(at: index, with: qualified)
            }
        } else if element[child: "metadata"] != nil {
            element.edit("metadata", orInsert: false) { metadata in
                if let index = metadata.index(namespace, [root]) { metadata.removeNode(at: index) }
            }
            if element[child: "metadata"]?.isBare == true { element[child: "metadata"] = nil }
        }
    }
}

extension Element {
    fileprivate func index(_ namespace: String, _ ancestors: [Element]) -> Int? {
        children.firstIndex { $0.element?.namespace(in: [self] + ancestors) == namespace }
    }

    fileprivate func qualified(_ prefix: String, _ namespace: String) -> Element {
        var copy = self
        if copy.prefix == nil { copy.name = prefix + ":" + name }
        if copy.declaredNamespace(copy.prefix) != namespace {
            let declaration = Attribute("xmlns:" + (copy.prefix ?? prefix), namespace)
            copy.attributes.removeAll { $0.name == declaration.name }
            copy.attributes.insert(declaration, at: 0)
        }
        return copy
    }
}
