// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The packet filter's rules, as far as they say whether a bridge is let through.
struct Ruleset: Sendable {
    /// A chain that the kernel enters by itself for forwarded packets.
    struct ForwardChain: Hashable, Sendable {
        /// `ip`, `ip6`, `inet`.
        let family: String
        let table: String
        let name: String
        let drops: Bool
    }

    /// A rule about one interface: where packets come from, or where they go to, but not both.
    private struct Rule: Hashable {
        let table: String
        let isInput: Bool
        let interface: String

        /// `virbr*` of nftables and `virbr+` of iptables stand for all that begin so.
        func matches(_ name: String) -> Bool {
            guard interface.hasSuffix("*") || interface.hasSuffix("+") else { return interface == name }
            return name.hasPrefix(interface.dropLast())
        }
    }

    private(set) var forwardChains: [ForwardChain] = []
    private var chains: Set<String> = []
    private var rules: Set<Rule> = []

    /// Whether a table has a chain of that name.
    func hasChain(_ name: String, beside chain: ForwardChain) -> Bool {
        chains.contains("\(chain.family) \(chain.table) \(name)")
    }

    /// Whether somebody has decided, in the table of this chain, about what an interface sends and gets.
    func knows(_ interface: String, in chain: ForwardChain) -> Bool {
        let here = rules.filter { $0.table == "\(chain.family) \(chain.table)" && $0.matches(interface) }
        return here.contains { $0.isInput } && here.contains { !$0.isInput }
    }
}

// MARK: nftables

extension Ruleset {
    private struct Document: Decodable {
        let nftables: [Entry]
    }

    private struct Entry: Decodable {
        let chain: Chain?
        let rule: RuleEntry?
    }

    private struct Chain: Decodable {
        let family: String
        let table: String
        let name: String
        let hook: String?
        let policy: String?
    }

    private struct RuleEntry: Decodable {
        let family: String
        let table: String
        let expr: [Expression]?
    }

    /// One of very many kinds of expression: a comparison, or something else.
    private struct Expression: Decodable {
        let match: Match?

        private enum Keys: String, CodingKey { case match }

        init(from decoder: any Decoder) throws {
            let values = try? decoder.container(keyedBy: Keys.self)
            match = try? values?.decode(Match.self, forKey: .match)
        }
    }

    private struct Match: Decodable {
        let op: String
        let left: Left
        let right: String

        struct Left: Decodable {
            let meta: Meta
        }

        struct Meta: Decodable {
            let key: String
        }
    }

    /// - Parameter text: what `nft --json list ruleset` prints.
    /// - Throws: where it is no such text.
    init(nftables text: String) throws {
        let entries = try JSONDecoder().decode(Document.self, from: Data(text.utf8)).nftables
        for chain in entries.compactMap(\.chain) {
            chains.insert("\(chain.family) \(chain.table) \(chain.name)")
            guard chain.hook == "forward", ["ip", "ip6", "inet"].contains(chain.family) else { continue }
            forwardChains.append(
                ForwardChain(
                    family: chain.family, table: chain.table, name: chain.name, drops: chain.policy == "drop")
            )
        }
        for rule in entries.compactMap(\.rule) {
            let sides = (rule.expr ?? []).compactMap(\.match).filter {
                $0.op == "==" && ["iifname", "oifname"].contains($0.left.meta.key)
            }
            guard sides.count == 1 else { continue }
            rules.insert(
                Rule(
                    table: "\(rule.family) \(rule.table)", isInput: sides[0].left.meta.key == "iifname",
                    interface: sides[0].right))
        }
    }
}

// MARK: iptables

extension Ruleset {
    /// - Parameter text: what `iptables-legacy -S` prints of its table `filter`.
    init(iptables text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 1 else { continue }
            switch words[0] {
            case "-P" where words[1] == "FORWARD":
                forwardChains.append(
                    ForwardChain(family: "ip", table: "filter", name: "FORWARD", drops: words.last == "DROP"))
            case "-N": chains.insert("ip filter \(words[1])")
            case "-A": add(words)
            default: break
            }
        }
    }

    private mutating func add(_ words: [String]) {
        let sides = words.indices.dropLast().filter { words[$0] == "-i" || words[$0] == "-o" }
        guard sides.count == 1, words[sides[0] - 1] != "!" else { return }
        rules.insert(
            Rule(
                table: "ip filter", isInput: words[sides[0]] == "-i", interface: words[sides[0] + 1]))
    }
}
