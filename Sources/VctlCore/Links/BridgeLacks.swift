// SPDX-License-Identifier: Apache-2.0
import HostNet
import VctlAPI

/// What the host's links lack of bridges that are kept.
struct BridgeLacks: Sendable {
    let environment: VMEnvironment

    /// The bridges that lack something, with what that is.
    func all() async throws -> [(bridge: KeptBridge, lacks: [String])] {
        let rows = try await environment.inventory.read { try KeptBridge.all($0) }
        guard !rows.isEmpty else { return [] }
        let host = environment.hostLinks
        let sight = LinkSight(try await host.all(), try await host.addresses(), [:])
        let marks = MarkedLinks(host: host, instance: environment.state.instance)
        return rows.compactMap { row in
            let link = sight.links.first { $0.alias == marks.mark(row.record.id) }
            let lacks = row.lacks(link, sight)
            return lacks.isEmpty ? nil : (row.record, lacks)
        }
    }
}

extension LinkRow<KeptBridge> {
    /// What there is not of it, a sentence each. While it is changed, and before that is decided, nobody
    /// knows.
    func lacks(_ link: Link?, _ sight: LinkSight) -> [String] {
        guard operation == nil, !record.isUndecided else { return [] }
        guard let link else { return ["the host has no link \(record.name)"] }
        let there = sight.addresses.filter { $0.link == link.index }
        let missing = record.addresses.map { Address($0, link) }.filter { own in
            !there.contains { $0.isSame(as: own) }
        }
        return record.ports.compactMap { Self.lack(of: $0, link, sight.links) }
            + missing.map { "the address \($0.text) is not on it" } + lacksOfUplink(there, sight)
    }

    private static func lack(of port: LinkName, _ bridge: Link, _ links: [Link]) -> String? {
        guard let link = links.first(where: { $0.name == port.rawValue }) else {
            return "the host has no link \(port), which is to be a port of it"
        }
        guard link.master != bridge.index else { return nil }
        guard let other = links.first(where: { $0.index == link.master }) else {
            return "\(port) is no port of it"
        }
        return "\(port) is a port of \(shown(other.name))"
    }

    private func lacksOfUplink(_ there: [Address], _ sight: LinkSight) -> [String] {
        guard let uplink = record.uplink else { return [] }
        let index = sight.links.first { $0.name == uplink.rawValue }?.index
        return record.addressesOfUplink.compactMap { own in
            if sight.addresses.contains(where: { $0.link == index && $0.isSame(as: own) }) {
                return "the address \(own.text) is still on \(uplink)"
            }
            return there.contains { $0.isSame(as: own) }
                ? nil : "the address \(own.text), taken over from \(uplink), is not on it"
        }
    }
}

extension KeptBridge {
    /// The addresses that it has taken over for good.
    var addressesOfUplink: [Address] { uplink == nil ? [] : carried?.lastingAddresses ?? [] }
}

extension Address {
    /// Whether it is the same one, on whatever link.
    func isSame(as other: Address) -> Bool { bytes == other.bytes && length == other.length }
}
