// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// The packet filter's rules, as far as they say whether a bridge is let through.
struct Ruleset: Sendable {
    /// A chain that the kernel enters by itself.
    struct HookChain: Hashable, Sendable {
        /// `ip`, `ip6`, `inet`.
        let family: String
        let table: String
        let name: String
        /// `forward`, `input`, `output`.
        let hook: String
        /// Whether it drops what none of its rules lets through.
        let drops: Bool
        /// The program that changes it, where iptables made it: `iptables`, `ip6tables-legacy`.
        let tool: String?

        func concerns(_ family: IPFamily) -> Bool {
            self.family == "inet" || self.family == (family == .ipv4 ? "ip" : "ip6")
        }
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

    private(set) var hookChains: [HookChain] = []
    var forwardChains: [HookChain] { hookChains.filter { $0.hook == "forward" } }
    private var chains: Set<String> = []
    private var rules: Set<Rule> = []

    /// Whether a table has a chain of that name.
    func hasChain(_ name: String, beside chain: HookChain) -> Bool {
        chains.contains("\(chain.family) \(chain.table) \(name)")
    }

    /// Whether somebody has decided, in the table of this chain, about what an interface sends and gets.
    func knows(_ interface: String, in chain: HookChain) -> Bool {
        let here = rules.filter { $0.table == "\(chain.family) \(chain.table)" && $0.matches(interface) }
        return (chain.hook == "output" || here.contains { $0.isInput })
            && (chain.hook == "input" || here.contains { !$0.isInput })
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
        let chain: String?
        let expr: [Expression]?

        var place: String { "\(family) \(table) \(chain ?? "")" }
        /// Whether it refuses whatever comes to it.
        var refusesAll: Bool {
            let all = expr ?? []
            return all.contains { $0.refuses } && all.allSatisfy { $0.refuses || $0.counts }
        }
    }

    /// One of very many kinds of expression: a comparison, or something else.
    private struct Expression: Decodable {
        let match: Match?
        let refuses: Bool
        let counts: Bool

        private enum Keys: String, CodingKey { case match, drop, reject, counter, xt }

        init(from decoder: any Decoder) throws {
            let values = try? decoder.container(keyedBy: Keys.self)
            match = try? values?.decode(Match.self, forKey: .match)
            // iptables' own REJECT has no word in nftables.
            let target = try? values?.decode([String: String].self, forKey: .xt)
            refuses =
                values?.contains(.drop) == true || values?.contains(.reject) == true
                || target?["name"] == "REJECT"
            counts = values?.contains(.counter) == true
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

    private static let hooks: Set = ["forward", "input", "output"]

    /// - Parameter text: what `nft --json list ruleset` prints.
    /// - Throws: where it is no such text.
    init(nftables text: String) throws {
        let entries = try JSONDecoder().decode(Document.self, from: Data(text.utf8)).nftables
        var closed: [String: Bool] = [:]
        for rule in entries.compactMap(\.rule) { closed[rule.place] = rule.refusesAll }
        for chain in entries.compactMap(\.chain) {
            let place = "\(chain.family) \(chain.table) \(chain.name)"
            chains.insert(place)
            guard let hook = chain.hook, Self.hooks.contains(hook),
                ["ip", "ip6", "inet"].contains(chain.family)
            else { continue }
            let isOfIPTables = chain.table == "filter" && chain.name == hook.uppercased()
            hookChains.append(
                HookChain(
                    family: chain.family, table: chain.table, name: chain.name, hook: hook,
                    drops: chain.policy == "drop" || closed[place] == true,
                    tool: isOfIPTables ? (chain.family == "ip6" ? "ip6tables" : "iptables") : nil))
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
    /// - Parameter text: what `iptables-legacy -S`, or `ip6tables-legacy`, prints of its table `filter`.
    init(iptables text: String, _ family: IPFamily = .ipv4) {
        let (word, tool) =
            family == .ipv4 ? ("ip", "iptables-legacy") : ("ip6", "ip6tables-legacy")
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 1 else { continue }
            switch words[0] {
            case "-P" where Self.hooks.contains(words[1].lowercased()):
                hookChains.append(
                    HookChain(
                        family: word, table: "filter", name: words[1], hook: words[1].lowercased(),
                        drops: words.last == "DROP", tool: tool))
            case "-N": chains.insert("\(word) filter \(words[1])")
            case "-A": add(words, word)
            default: break
            }
        }
    }

    private mutating func add(_ words: [String], _ family: String) {
        let sides = words.indices.dropLast().filter { words[$0] == "-i" || words[$0] == "-o" }
        guard sides.count == 1, words[sides[0] - 1] != "!" else { return }
        rules.insert(
            Rule(
                table: "\(family) filter", isInput: words[sides[0]] == "-i", interface: words[sides[0] + 1]))
    }
}

// MARK: What is in force

extension Ruleset {
    /// All of it, of both kinds. Asks for nothing that would load a module: without it there are no rules.
    static func inForce(_ kernel: KernelParts) async throws -> [Ruleset] {
        var rulesets: [Ruleset] = []
        if kernel.state("nf_tables") != .loadable {
            let answer = try await Tool("nft", ["--json", "--terse", "list", "ruleset"]).run()
            rulesets.append(try Ruleset(nftables: answer.text))
        }
        if kernel.files.words("/proc/net/ip_tables_names").contains("filter") {
            rulesets.append(Ruleset(iptables: try await Tool("iptables-legacy", ["-S"]).run().text))
        }
        if kernel.files.words("/proc/net/ip6_tables_names").contains("filter") {
            rulesets.append(Ruleset(iptables: try await Tool("ip6tables-legacy", ["-S"]).run().text, .ipv6))
        }
        return rulesets
    }

    /// Who made the rules of a chain, where it can be told.
    func owner(of chain: HookChain) -> String {
        if chain.hook == "forward", hasChain("DOCKER-USER", beside: chain) { return "Docker" }
        return "the chain \(chain.name) (\(chain.family) \(chain.table))"
    }

    /// The command that lets through what a bridge sends and gets.
    func remedy(_ chain: HookChain, _ bridges: [String]) -> String {
        bridges.map { bridge in
            guard let tool = chain.tool else { return Self.insertion(chain, bridge) }
            let isDocker = chain.hook == "forward" && hasChain("DOCKER-USER", beside: chain)
            if !isDocker, chain.hook == "forward", hasChain("ufw-before-forward", beside: chain) {
                return "ufw route allow in on \(bridge) && ufw route allow out on \(bridge)"
            }
            let into = isDocker ? "DOCKER-USER" : chain.name
            return Self.sides(chain).map { "\(tool) -I \(into) \($0) \(bridge) -j ACCEPT" }
                .joined(separator: " && ")
        }.joined(separator: " && ")
    }

    private static func sides(_ chain: HookChain) -> [String] {
        switch chain.hook {
        case "input": ["-i"]
        case "output": ["-o"]
        default: ["-i", "-o"]
        }
    }

    private static func insertion(_ chain: HookChain, _ bridge: String) -> String {
        sides(chain).map {
            "nft insert rule \(chain.family) \(chain.table) \(chain.name)"
                + " \($0 == "-i" ? "iifname" : "oifname") \(bridge) accept"
        }.joined(separator: " && ")
    }
}
