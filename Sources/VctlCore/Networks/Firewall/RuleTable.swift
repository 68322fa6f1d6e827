// SPDX-License-Identifier: Apache-2.0
import HostNet

/// What a table of nftables says, as its parts: two of them differ in those parts that a change touches.
struct RuleTable: Hashable, Sendable {
    /// A list of rules.
    struct Chain: Hashable, Sendable {
        /// Where packets come in by themselves; `nil`: they are led here.
        var hook: String?
        var rules: [String]
    }

    /// Leads packets to chains by a key, whatever number of them there is.
    struct Map: Hashable, Sendable {
        /// What its keys are.
        var type: String
        /// A verdict for each key.
        var elements: [String: String] = [:]
    }

    private(set) var chains: [String: Chain] = [:]
    private(set) var maps: [String: Map] = [:]

    /// A chain that packets come into by themselves; none where it has nothing to say.
    mutating func hook(_ name: String, _ type: String, _ hook: String, _ priority: String, _ rules: [String])
    {
        guard !rules.isEmpty else { return }
        chains[name] = Chain(
            hook: "type \(type) hook \(hook) priority \(priority); policy accept;", rules: rules)
    }

    /// Rules for packets with a key, in a chain of their own, behind those that were said before.
    mutating func lead(_ key: String, of type: String, by map: String, _ name: String, to rules: [String]) {
        guard !rules.isEmpty else { return }
        let chain = add(rules, to: "\(map)_\(name)")
        maps[map, default: Map(type: type)].elements[key] = "jump \(chain)"
    }

    /// Adds rules to a chain that packets are led to.
    /// - Returns: its name.
    @discardableResult
    mutating func add(_ rules: [String], to chain: String) -> String {
        chains[chain, default: Chain(rules: [])].rules += rules
        return chain
    }

    // MARK: Text

    /// What stands between the table's braces. What leads to something stands behind it.
    var body: String {
        let (led, hooks) = (chains.filter { $0.value.hook == nil }, chains.filter { $0.value.hook != nil })
        return Self.text(led) + maps.sorted { $0.key < $1.key }.map(Self.text).joined() + Self.text(hooks)
    }

    private static func text(_ chains: [String: Chain]) -> String {
        chains.sorted { $0.key < $1.key }.map { name, chain in
            let lines = [chain.hook].compactMap(\.self) + chain.rules
            return "chain \(name) {\n" + lines.map { "    \($0)\n" }.joined() + "}\n"
        }.joined()
    }

    private static func text(_ name: String, _ map: Map) -> String {
        let elements = map.elements.isEmpty ? "" : "    elements = { \(list(map.elements)) }\n"
        return "map \(name) {\n    type \(map.type) : verdict\n\(elements)}\n"
    }

    private static func list(_ elements: [String: String]) -> String {
        pairs(elements).joined(separator: ", ")
    }

    private static func pairs(_ elements: [String: String]) -> [String] {
        elements.sorted { $0.key < $1.key }.map { "\($0) : \($1)" }
    }

    // MARK: Differences

    /// What makes a table that says this say `new`, in one transaction; `nil` where it must be written anew.
    func edits(to new: RuleTable) -> [NftablesTable.Edit]? {
        let keptChains = new.chains.filter { chains[$0.key] != nil }
        let keptMaps = new.maps.filter { maps[$0.key] != nil }
        guard keptChains.allSatisfy({ chains[$0]?.hook == $1.hook }),
            keptMaps.allSatisfy({ maps[$0]?.type == $1.type })
        else { return nil }
        var added = RuleTable()
        added.chains = new.chains.filter { chains[$0.key] == nil }
        added.maps = new.maps.filter { maps[$0.key] == nil }
        let text = added.body
        return (text.isEmpty ? [] : [.add(text)])
            + rewritten(keptChains.filter { chains[$0.key] != $0.value })
            + keptMaps.sorted { $0.key < $1.key }.flatMap(elementEdits) + removals(new)
    }

    private func rewritten(_ changed: [String: Chain]) -> [NftablesTable.Edit] {
        guard !changed.isEmpty else { return [] }
        let bare = changed.mapValues { Chain(rules: $0.rules) }
        return changed.keys.sorted().map { .flush(chain: $0) } + [.add(Self.text(bare))]
    }

    private func elementEdits(_ name: String, _ map: Map) -> [NftablesTable.Edit] {
        let before = maps[name]?.elements ?? [:]
        let gone = before.filter { map.elements[$0.key] != $0.value }.keys.sorted()
        let come = Self.pairs(map.elements.filter { before[$0.key] != $0.value })
        return (gone.isEmpty ? [] : [.removeElements(gone, map: name)])
            + (come.isEmpty ? [] : [.addElements(come, map: name)])
    }

    /// What leads to something goes before it.
    private func removals(_ new: RuleTable) -> [NftablesTable.Edit] {
        let gone = chains.filter { new.chains[$0.key] == nil }
        let hooks = gone.filter { $0.value.hook != nil }.keys.sorted()
        let led = gone.filter { $0.value.hook == nil }.keys.sorted()
        let goneMaps = maps.keys.filter { new.maps[$0] == nil }.sorted()
        return (hooks + led).map { .flush(chain: $0) } + hooks.map { .removeChain($0) }
            + goneMaps.map { .removeMap($0) } + led.map { .removeChain($0) }
    }
}
