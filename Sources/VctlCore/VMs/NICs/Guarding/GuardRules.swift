// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// The table that keeps guests from sending as somebody else, and lets in what security groups allow: pure,
/// so that the same NICs give the same text.
///
/// A frame is looked at where it comes out of the guest, before the bridge learns from it. What DHCP gives a
/// guest is read off the answer on its way to it. An IPv6 address belongs to who has asked first whether
/// anybody has it (RFC 4862, 6620): so guests may choose theirs as they like, and the kernel alone follows.
struct GuardRules: Sendable {
    let nics: [GuardedNIC]
    /// Addresses that were learned on the wire, by TAP.
    var learned: [String: Set<IPAddress>] = [:]
    /// What each security group allows. One that is not there allows nothing.
    var groups: [String: [SecurityRule]] = [:]
    /// Whether the kernel can tell answers. Without that only what addresses and routers need comes in to
    /// NICs with groups.
    var followsFlows = true

    private var honest: [GuardedNIC] { nics.filter(\.isHonest) }

    /// How many addresses one guest may come to have.
    private static let most = 256
    /// How long one is a guest's own that does not use it.
    private static let unused = "30d"
    /// How long one is another's that was heard of on the way to a guest.
    private static let refusal = "10m"

    /// The table between its braces; `nil`: nobody needs it.
    var body: String? {
        guard !nics.isEmpty else { return nil }
        let from = honest.map { chain("from_\($0.name)", from: $0) }
        let to = nics.map { chain("to_\($0.name)", to: $0) }
        return honest.map(sets).joined() + from.joined() + to.joined()
            + map("senders", "from", honest) + hook("prerouting", "dstnat", "iifname vmap @senders")
            // Behind the last hook that all pass, nobody knows any more where a frame came in.
            + map("receivers", "to", nics) + hook("forward", "filter", "oifname vmap @receivers")
            + hook("output", "filter", "oifname vmap @receivers")
    }

    /// By which a hook finds the chain of a NIC.
    private func map(_ name: String, _ chain: String, _ nics: [GuardedNIC]) -> String {
        let jumps = nics.map { "\"\($0.tap)\" : jump \(chain)_\($0.name)" }.joined(separator: ", ")
        let elements = nics.isEmpty ? "" : "    elements = { \(jumps) }\n"
        return "map \(name) {\n    type ifname : verdict\n\(elements)}\n"
    }

    private func hook(_ name: String, _ priority: String, _ rule: String) -> String {
        Self.chain(name, ["type filter hook \(name) priority \(priority); policy accept;", rule])
    }

    private func chain(_ name: String, from nic: GuardedNIC) -> String {
        let rules = ["ether saddr != \(nic.mac) drop"] + arp(nic) + ipv4(nic) + ipv6(nic) + ["drop"]
        return Self.chain(name, rules)
    }

    private func chain(_ name: String, to nic: GuardedNIC) -> String {
        let learning = nic.isHonest ? [lesson(nic)] + refusals(nic) : []
        return Self.chain(name, learning + (nic.groups.map(allowed) ?? []))
    }

    private static func chain(_ name: String, _ rules: [String]) -> String {
        "chain \(name) {\n" + rules.map { "    \($0)\n" }.joined() + "}\n"
    }

    // MARK: Sets

    /// What a set is for.
    private enum Kind: String, CaseIterable {
        case ipv4 = "ip4_"
        case ipv6 = "ip6_"
        /// Those that others have.
        case refused = "not6_"
    }

    /// nftables has no names for the address that a neighbour is asked for, and for the one that a server
    /// grants; newer ones take only what a set was declared with, so that all of them hold numbers.
    private func sets(_ nic: GuardedNIC) -> String {
        let known = nic.isRunning ? learned[nic.tap] ?? [] : []
        let four = known.filter { $0.family == .ipv4 }.sorted().map(Self.hex)
        let six = known.filter { $0.family == .ipv6 }.sorted().map(Self.hex)
        return Self.set(.ipv4, nic, "@th,192,32", Self.unused, four)
            + Self.set(.ipv6, nic, "@th,64,128", Self.unused, six)
            + Self.set(.refused, nic, "@th,64,128", Self.refusal, [])
    }

    private static func set(
        _ kind: Kind, _ nic: GuardedNIC, _ content: String, _ timeout: String, _ elements: [String]
    ) -> String {
        let list = elements.prefix(most).joined(separator: ", ")
        return """
            set \(kind.rawValue)\(nic.name) {
                typeof \(content)
                flags dynamic,timeout
                timeout \(timeout)
                size \(most)
            \(list.isEmpty ? "" : "    elements = { \(list) }\n")}

            """
    }

    private static func hex(_ address: IPAddress) -> String { "0x" + String(address.number, radix: 16) }

    // MARK: What a guest may send

    /// A sender of 0.0.0.0 asks whether an address is free (RFC 5227).
    private func arp(_ nic: GuardedNIC) -> [String] {
        ["ether type arp arp saddr ether != \(nic.mac) drop", "ether type arp arp saddr ip 0.0.0.0 accept"]
            + said(nic, .ipv4).map { "ether type arp arp saddr ip \($0) accept" }
            + ["ether type arp @nh,112,32 @\(Kind.ipv4.rawValue)\(nic.name) accept", "ether type arp drop"]
    }

    /// Who answers DHCP decides which addresses others use; who asks in another's name gets what is theirs.
    private func ipv4(_ nic: GuardedNIC) -> [String] {
        let mac = "0x" + nic.mac.filter { $0 != ":" }
        let set = "@\(Kind.ipv4.rawValue)\(nic.name)"
        return [
            "ether type ip udp sport 67 drop", "ether type ip udp dport 67 @th,288,48 != \(mac) drop",
            "ether type ip ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept",
        ] + said(nic, .ipv4).map { "ether type ip ip saddr \($0) accept" } + [
            "ether type ip @nh,96,32 \(set) update \(set) { @nh,96,32 } accept", "ether type ip drop",
        ]
    }

    /// Without an address a guest asks whether one is free, for routers, and joins groups (RFC 4861, 4862).
    private func ipv6(_ nic: GuardedNIC) -> [String] {
        let (set, refused) = ("@\(Kind.ipv6.rawValue)\(nic.name)", "@\(Kind.refused.rawValue)\(nic.name)")
        let id = "0x" + String(nic.interfaceID, radix: 16)
        let half = IPAddress(.ipv6, UInt128(nic.interfaceID))
        let listed = nic.addresses.filter { $0.family == .ipv6 }.sorted().map(Self.hex)
        let targets = listed.isEmpty ? "" : " @th,64,128 != { \(listed.joined(separator: ", ")) }"
        return [
            "ether type ip6 icmpv6 type { nd-router-advert, nd-redirect } drop",
            "ether type ip6 udp sport 547 drop",
        ] + elsewhere(nic) + [
            "ether type ip6 icmpv6 type nd-neighbor-advert @th,128,64 != \(id)\(targets)"
                + " @th,64,128 != \(set) drop",
            "ether type ip6 ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 != \(refused)"
                + " update \(set) { @th,64,128 } accept",
            "ether type ip6 ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, "
                + "mld-listener-report, mld2-listener-report } accept",
            "ether type ip6 ip6 saddr & ::ffff:ffff:ffff:ffff == \(half) accept",
        ] + said(nic, .ipv6).map { "ether type ip6 ip6 saddr \($0) accept" } + [
            "ether type ip6 @nh,64,128 \(set) update \(set) { @nh,64,128 } accept"
        ]
    }

    /// Where it is known which prefixes there are, no address has another one.
    private func elsewhere(_ nic: GuardedNIC) -> [String] {
        guard !nic.prefixes.isEmpty else { return [] }
        let own = nic.addresses.filter { $0.family == .ipv6 }.filter { address in
            !nic.prefixes.contains { $0.contains(address) }
        }
        let list = ["::", "fe80::/10"] + nic.prefixes.map(\.description) + own.sorted().map(\.description)
        return ["ether type ip6 ip6 saddr != { \(list.joined(separator: ", ")) } drop"]
    }

    /// Its addresses as a set, where there are any.
    private func said(_ nic: GuardedNIC, _ family: IPFamily) -> [String] {
        let list = nic.addresses.filter { $0.family == family }.sorted().map(\.description)
        return list.isEmpty ? [] : ["{ \(list.joined(separator: ", ")) }"]
    }

    // MARK: What may come in

    /// Answers pass by their direction, and what comes in is looked at packet by packet: so an open flow ends
    /// with the rule that allowed it. What addresses and routers need passes always.
    private func allowed(by names: [String]) -> [String] {
        let needed = "nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, mld-listener-query"
        let always = [
            "ether type arp accept", "ether type ip udp sport 67 udp dport 68 accept",
            "ether type ip6 udp sport 547 udp dport 546 accept",
            "ether type ip6 icmpv6 type { \(needed) } accept",
        ]
        guard followsFlows else { return always + ["drop"] }
        return [
            "ct state established ct direction reply accept", "ct state related accept",
            // Nothing comes of the rest of a packet without its beginning, which alone has ports.
            "ether type ip ip frag-off & 0x1fff != 0 accept", "ether type ip6 frag frag-off != 0 accept",
        ] + always + names.flatMap { groups[$0] ?? [] }.flatMap(\.matches).map { "\($0) accept" } + ["drop"]
    }

    // MARK: What is learned on the way to a guest

    /// Of an answer (2) to itself that grants (option 53 is 5, which servers write first) the address that it
    /// grants. A guest is no such server: two together could grant each other what is a third one's.
    private func lesson(_ nic: GuardedNIC) -> String {
        let mac = "0x" + nic.mac.filter { $0 != ":" }
        return "iifname != \"\(Minting.tapPrefix)*\" ether type ip udp sport 67 udp dport 68 @th,64,8 2"
            + " @th,288,48 \(mac) @th,1984,24 0x350105 @th,192,32 != 0"
            + " update @\(Kind.ipv4.rawValue)\(nic.name) { @th,192,32 }"
    }

    /// Who says that an address is his has it.
    private func refusals(_ nic: GuardedNIC) -> [String] {
        let advert = "ether type ip6 icmpv6 type nd-neighbor-advert"
        return [
            "\(advert) delete @\(Kind.ipv6.rawValue)\(nic.name) { @th,64,128 }",
            "\(advert) update @\(Kind.refused.rawValue)\(nic.name) { @th,64,128 }",
        ]
    }

    // MARK: What the kernel says

    /// What a listing of the table says, apart from the addresses that were learned.
    struct Listing: Equatable {
        /// All else.
        var shape: String
        /// By the names that sets bear.
        private var found: [String: Set<IPAddress>]

        init(_ text: String) {
            var lines: [Substring] = []
            (shape, found) = ("", [:])
            var set: String?
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                let words = line.split { $0.isWhitespace || $0 == "," }
                if words.first == "set", words.count > 1 {
                    set = String(words[1])
                    lines.append(line)
                } else if let name = set {
                    let family = name.hasPrefix(Kind.ipv4.rawValue) ? IPFamily.ipv4 : .ipv6
                    found[name, default: []].formUnion(words.compactMap { Self.address($0, family) })
                    if words.first == "}" { set = nil }
                } else {
                    lines.append(line)
                }
            }
            shape = lines.joined(separator: "\n")
        }

        /// What was learned of a NIC.
        func learned(_ nic: GuardedNIC) -> Set<IPAddress> {
            [Kind.ipv4, .ipv6].reduce(into: []) { $0.formUnion(found[$1.rawValue + nic.name] ?? []) }
        }

        private static func address(_ word: Substring, _ family: IPFamily) -> IPAddress? {
            guard word.hasPrefix("0x") else { return nil }
            return UInt128(word.dropFirst(2), radix: 16).map { IPAddress(family, $0) }
        }
    }
}

extension GuardedNIC {
    /// Its TAP's name as a part of names in nftables, which know fewer characters.
    fileprivate var name: String {
        tap.utf8.map { byte in
            "@+".utf8.contains(byte) ? "_\(String(byte, radix: 16))" : String(UnicodeScalar(byte))
        }.joined()
    }
}

extension SecurityRule {
    /// What matches it, for each family that it speaks of.
    fileprivate var matches: [String] {
        let families = source.map { [$0.family] } ?? IPFamily.allCases
        return families.map { family in
            let from = source.map { "\(family.keyword) saddr \($0)" }
            let words = ["ether type \(family.keyword)"] + [from, content(family)].compactMap(\.self)
            return words.joined(separator: " ")
        }
    }

    private func content(_ family: IPFamily) -> String? {
        switch traffic {
        case .any: nil
        case .icmp: "meta l4proto \(family == .ipv4 ? "icmp" : "ipv6-icmp")"
        case .tcp, .udp:
            ports.map { "\(traffic.rawValue) dport \($0.lowerBound)-\($0.upperBound)" }
                ?? "meta l4proto \(traffic.rawValue)"
        }
    }
}
