// SPDX-License-Identifier: Apache-2.0

extension Element {
    /// The first element that a path leads to.
    public func first(_ path: Path) -> Element? { first(path.steps[...]) }

    /// All elements that a path leads to, in document order.
    public func all(_ path: Path) -> [Element] {
        var found: [Element] = []
        collect(path.steps[...], into: &found)
        return found
    }

    private func collect(_ steps: ArraySlice<Path.Step>, into found: inout [Element]) {
        guard let step = steps.first else { return found.append(self) }
        for index in children.indices where children[index].isElement(named: step.name) {
            guard case .element(let child) = children[index], step.accepts(child) else { continue }
            child.collect(steps.dropFirst(), into: &found)
        }
    }

    private func first(_ steps: ArraySlice<Path.Step>) -> Element? {
        guard let step = steps.first else { return self }
        for index in children.indices where children[index].isElement(named: step.name) {
            guard case .element(let child) = children[index], step.accepts(child) else { continue }
            if let found = child.first(steps.dropFirst()) { return found }
        }
        return nil
    }

    /// Changes, in place, every element that a path leads to; returns how many there were.
    @discardableResult
    public mutating func edit(_ path: Path, _ change: (inout Element) -> Void) -> Int {
        edit(path.steps[...], change)
    }

    private mutating func edit(_ steps: ArraySlice<Path.Step>, _ change: (inout Element) -> Void) -> Int {
        guard let step = steps.first else {
            change(&self)
            return 1
        }
        var count = 0
        for index in children.indices {
            guard children[index].isElement(named: step.name), let child = children[index].element,
                step.accepts(child)
            else { continue }
            editNode(at: index) { count += $0.edit(steps.dropFirst(), change) }
        }
        return count
    }

    /// Removes every element that a path leads to, each with its line; returns how many there were.
    @discardableResult
    public mutating func remove(_ path: Path) -> Int {
        guard let last = path.steps.last else { return 0 }
        var parents = path
        parents.steps.removeLast()
        var count = 0
        edit(parents) { parent in
            let before = parent.children.count { $0.element != nil }
            parent.removeElements(where: last.accepts)
            count += before - parent.children.count { $0.element != nil }
        }
        return count
    }

    /// The first element that a path of plain names leads to. Setting it makes what is missing on the way;
    /// nil removes it.
    public subscript(path path: Path) -> Element? {
        get { first(path) }
        set {
            guard let last = path.steps.last else {
                if let newValue { self = newValue }
                return
            }
            let parents = path.steps.dropLast().map(\.name)[...]
            edit(parents, orInsert: newValue != nil) { $0[child: last.name] = newValue }
        }
    }
}
