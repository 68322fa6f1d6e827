// SPDX-License-Identifier: Apache-2.0

/// One value of a view: how it is read from an element and written into it. A view declares each of its
/// properties as one of these, in one line; `XMLView` turns it into a property of the view.
public struct Field<Value: Sendable>: Sendable {
    let get: @Sendable (Element) -> Value?
    let set: @Sendable (inout Element, Value?) -> Void

    /// A value with its own way of reading and writing.
    public init(
        get: @escaping @Sendable (Element) -> Value?, set: @escaping @Sendable (inout Element, Value?) -> Void
    ) {
        self.get = get
        self.set = set
    }
}

extension Field where Value: XMLScalar {
    /// The value at a path: `name`, `a/b`, `@name`, `a/b/@name`.
    public init(_ path: String) {
        let leaf = LeafPath(path)
        self.init(
            get: { leaf.value(in: $0).flatMap(Value.init(xml:)) },
            set: { leaf.set($1?.xml, in: &$0) })
    }
}

extension Field where Value == Bool {
    /// A switch that libvirt spells `on` and `off`.
    public init(onOff path: String) {
        let leaf = LeafPath(path)
        self.init(
            get: { leaf.value(in: $0).flatMap(Bool.init(xml:)) },
            set: { leaf.set($1.map { $0 ? "on" : "off" }, in: &$0) })
    }
}

extension Field where Value == UInt64 {
    /// An amount in bytes, spelt with a `unit` attribute. `unit` is what libvirt assumes without one, and
    /// what is written where nothing stood. The unit that stands there is kept while it can be exact.
    public init(size path: String, unit: String) {
        let leaf = LeafPath(path)
        self.init(
            get: { $0.descendant(leaf.steps[...])?.size(unit) },
            set: { element, bytes in
                guard let bytes else {
                    element.edit(leaf.steps[...], orInsert: false) { $0[attribute: "unit"] = nil }
                    return leaf.set(nil, in: &element)
                }
                element.edit(leaf.steps[...], orInsert: true) { $0.setSize(bytes, unit) }
            })
    }
}

extension Field where Value: XMLView {
    /// The first child at a path of names, as a view. nil removes it.
    public init(view path: String) {
        let path = Path(path)
        self.init(
            get: { $0.first(path).map(Value.init(element:)) },
            set: { element, view in
                if view == nil { return element.removeAndPrune(path) }
                element[path: path] = view?.element
            })
    }
}

extension Element {
    fileprivate mutating func removeAndPrune(_ path: Path) {
        guard remove(path) > 0 else { return }
        prune(path.steps.dropLast().map(\.name)[...])
    }

    fileprivate func size(_ defaultUnit: String) -> UInt64? {
        let word = self[attribute: "unit"] ?? defaultUnit
        guard let count = UInt64(xml: text), let unit = Unit.bytes(word) else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : bytes
    }

    fileprivate mutating func setSize(_ bytes: UInt64, _ defaultUnit: String) {
        guard size(defaultUnit) != bytes else { return }
        let kept = self[attribute: "unit"]
        let unit = kept ?? defaultUnit
        let isNew = kept == nil && children.isEmpty
        let scale = Unit.bytes(unit) ?? 1
        let isExact = bytes % scale == 0 && Unit.bytes(unit) != nil
        if isNew || !isExact { self[attribute: "unit"] = isExact ? unit : "bytes" }
        setText(String(isExact ? bytes / scale : bytes))
    }
}

/// Whether an element without content is there, as in `<readonly/>`.
public struct Flag: Sendable {
    let path: Path

    /// The path of names to the element.
    public init(_ path: String) { self.path = Path(path) }

    func get(_ element: Element) -> Bool { element.first(path) != nil }

    func set(_ element: inout Element, _ value: Bool) {
        if value == get(element) { return }
        if value {
            element.edit(path.steps.map(\.name)[...], orInsert: true) { _ in }
        } else {
            element.removeAndPrune(path)
        }
    }
}
