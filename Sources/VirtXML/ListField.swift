// SPDX-License-Identifier: Apache-2.0

/// A list of a view: repeated elements, each a view of its own or one value.
///
/// Writing compares with what is there: unchanged items at both ends stay untouched, changed ones are
/// replaced in their place, new ones stand after their likes, and removed ones take their line with them.
public struct ListField<Item: Sendable>: Sendable {
    let path: Path
    let read: @Sendable (Element) -> Item?
    let make: @Sendable (Item, Element?) -> Element

    func get(_ element: Element) -> [Item] { element.all(path).compactMap(read) }

    func set(_ element: inout Element, _ items: [Item]) {
        guard let name = path.steps.last?.name else { return }
        let parents = path.steps.dropLast().map(\.name)[...]
        if items.isEmpty && element.first(path) == nil { return }
        element.edit(parents, orInsert: true) { parent in
            let old = parent.elements(named: name)
            let new = items.enumerated().map { index, item in
                make(item, index < old.count ? old[index] : nil)
            }
            parent.replaceElements(named: name, old, new)
        }
        if items.isEmpty { element.prune(parents) }
    }
}

extension ListField where Item: XMLView {
    /// The elements at a path of names, each as a view.
    public init(_ path: String) {
        let name = Path(path).steps.last?.name ?? path
        self.init(
            path: Path(path), read: { Item(element: $0) },
            make: { item, _ in
                var element = item.element
                element.name = name
                return element
            })
    }
}

extension ListField where Item: XMLScalar {
    /// One value of each of the repeated elements: `os/boot/@dev`, `devices/name`.
    public init(values path: String) {
        let leaf = LeafPath(path)
        let own = LeafPath(leaf.attribute.map { "@" + $0 } ?? "")
        self.init(
            path: Path(leaf.steps.joined(separator: "/")),
            read: { own.value(in: $0).flatMap(Item.init(xml:)) },
            make: { item, old in
                var element = old ?? Element(name: leaf.steps.last ?? "")
                own.set(item.xml, in: &element)
                return element
            })
    }
}

extension Element {
    /// Turns the children of a name from `old`, which they are, into `new`.
    fileprivate mutating func replaceElements(named name: String, _ old: [Element], _ new: [Element]) {
        let head = zip(old, new).prefix { $0 == $1 }.count
        let (oldRest, newRest) = (old.dropFirst(head), new.dropFirst(head))
        let tail = zip(oldRest.reversed(), newRest.reversed()).prefix { $0 == $1 }.count
        let places = children.indices.filter { children[$0].element?.name == name }
        let changed = places.dropFirst(head).dropLast(tail)
        let fresh = new.dropFirst(head).dropLast(tail)
        for (place, element) in zip(changed, fresh) { replaceNode(at: place, with: element) }
        let kept = changed.prefix(fresh.count)
        var anchor = kept.last ?? (head > 0 ? places[head - 1] : nil)
        for element in fresh.dropFirst(changed.count) {
            if anchor == nil && !places.isEmpty {
                insert(element, before: name)
            } else {
                insert(element, afterNode: anchor ?? ElementOrder.anchor(for: name, in: self))
            }
            anchor = anchor.map { next(name, after: $0) } ?? index(of: name)
        }
        for place in changed.dropFirst(fresh.count).reversed() { removeNode(at: place) }
    }

    private func next(_ name: String, after index: Int) -> Int {
        children[(index + 1)...].firstIndex { $0.element?.name == name } ?? index
    }
}
