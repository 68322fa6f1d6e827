// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Testing
import VctlAPI

@testable import VctlCore

/// Tables that are changed in parts, against such as are written as a whole.
@Suite struct RuleTableTests {
    private static func network(
        _ name: String, _ model: NetworkModel, _ subnets: [String], bridge: String? = nil, host: Bool = false
    ) throws -> Network {
        let mode = model == .isolated ? "none" : "open"
        var network = Network(
            id: ObjectID(), name: name, mode: mode, state: .running, observedAt: Timestamp(milliseconds: 0))
        (network.model, network.managed, network.bridge) = (model, true, bridge ?? "vbr-\(name)")
        network.hostAccess = host
        let known = try subnets.map { try Subnet(checking: $0) }
        network.subnet = known.first { $0.family == .ipv4 }
        network.subnet6 = known.first { $0.family == .ipv6 }
        return network
    }

    private static func forward(_ port: UInt16, to network: Network, _ vm: String, _ own: String) throws
        -> NetworkForward
    {
        NetworkForward(
            id: ObjectID(), network: network.name, networkID: network.id,
            protocol: port % 2 == 0 ? .tcp : .udp,
            address: try #require(IPAddress(own)), ports: try PortRange(checking: "\(port)"), vm: "web",
            vmID: ObjectID(), mac: "52:54:00:00:00:01", vmAddress: try #require(IPAddress(vm)),
            vmPorts: try PortRange(checking: "80"), createdAt: Timestamp(milliseconds: 0))
    }

    /// All models; subnets of several sizes, one inside another, and one twice; a bridge twice.
    private static func everything() throws -> ([Network], [NetworkForward]) {
        let networks = [
            try network("a", .nat, ["10.9.0.0/24", "fd00:9::/64"]), try network("b", .nat, ["10.8.0.0/24"]),
            try network("c", .nat, ["10.8.0.0/16", "fd00:8::/64"]), try network("d", .nat, ["10.8.0.0/24"]),
            try network("e", .isolated, []), try network("f", .isolated, ["10.7.0.0/24"], host: true),
            try network("g", .routed, ["10.6.0.0/24"]),
            try network("h", .nat, ["10.5.0.0/25"], bridge: "vbr-e"), try network("i", .nat, ["fd00:7::/64"]),
        ]
        let forwards = [
            try forward(8080, to: networks[0], "10.9.0.5", "0.0.0.0"),
            try forward(8081, to: networks[0], "10.9.0.5", "192.0.2.1"),
            try forward(8082, to: networks[0], "fd00:9::5", "::"),
            try forward(8083, to: networks[1], "10.8.0.5", "0.0.0.0"),
            try forward(8084, to: networks[6], "10.6.0.5", "0.0.0.0"),
        ]
        return (networks, forwards)
    }

    /// The same at each run.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 16 | state << 48
        }
    }

    /// Tables as networks and forwards come and go; never none at all.
    private static func walk(_ steps: Int, seed: UInt64) throws -> [RuleTable] {
        let (networks, forwards) = try everything()
        let stays = try network("stays", .isolated, [])
        var dice = Dice(state: seed)
        var (present, open): (Set<ObjectID>, Set<ObjectID>) = ([], [])
        return try (0..<steps).map { _ in
            let id = try #require((networks.map(\.id) + forwards.map(\.id)).randomElement(using: &dice))
            if forwards.contains(where: { $0.id == id }) {
                open.formSymmetricDifference([id])
            } else {
                present.formSymmetricDifference([id])
            }
            let rules = PacketRules(
                networks.filter { present.contains($0.id) } + [stays],
                forwards: forwards.filter { open.contains($0.id) })
            return try #require(rules.table)
        }
    }

    /// The parts of a listing by their names, whenever they came.
    private static func parts(_ listing: String) -> [String] {
        listing.split(separator: "\n").dropFirst().dropLast().joined(separator: "\n")
            .components(separatedBy: "\n\t}").sorted()
    }

    /// In the kernel, in a network namespace that ends with it.
    @Test(.enabled(if: geteuid() == 0), arguments: [1, 2, 3])
    func whatWasChangedIsWhatIsWrittenAsAWhole(_ seed: UInt64) async throws {
        let tables = try Self.walk(40, seed: seed)
        let (parted, whole) = (
            NftablesTable(family: "inet", name: "t"), NftablesTable(family: "inet", name: "t")
        )
        let folder = try TemporaryFolder()
        var script = "set -e\n"
        for (index, table) in tables.enumerated() {
            let all = try folder.write(whole.script(for: table.body), to: "whole\(index)")
            var step = all
            if index > 0 {
                let edits = try #require(tables[index - 1].edits(to: table))
                #expect(edits.isEmpty == (tables[index - 1] == table))
                step = try folder.write(parted.script(for: edits), to: "edits\(index)")
            }
            // The whole is written elsewhere, so that nothing of it is in the other.
            script += """
                nft -f \(step); nft list table inet t; echo ---
                unshare --net -- sh -c 'nft -f \(all); nft list table inet t'; echo ---

                """
        }
        let file = try folder.write(script, to: "script")
        let answer = try await Tool.run("unshare", ["--net", "--", "sh", "\(file)"])
        #expect(answer.status == 0, "\(answer.errors)")
        let listings = answer.output.components(separatedBy: "---\n").dropLast()
        try #require(listings.count == tables.count * 2)
        for (index, _) in tables.enumerated() {
            let (changed, written) = (Self.parts(listings[index * 2]), Self.parts(listings[index * 2 + 1]))
            #expect(changed == written, "step \(index)")
        }
    }

    @Test func aNetworkThatComesOrGoesTouchesNoOther() throws {
        let (networks, forwards) = try Self.everything()
        let without = try #require(PacketRules(Array(networks.dropFirst()), forwards: forwards).table)
        let with = try #require(PacketRules(networks, forwards: forwards).table)
        let table = NftablesTable(family: "inet", name: "t")
        for edits in [without.edits(to: with), with.edits(to: without)] {
            let text = table.script(for: try #require(edits))
            #expect(text.contains("vbr-a"))
            for other in networks.dropFirst() {
                #expect(!text.contains("_\(other.bridge ?? "") {"), "no chain of \(other.name) is written")
                #expect(!text.contains("\"\(other.bridge ?? "")\""), "\(other.name) keeps its elements")
            }
        }
    }

    @Test func nothingIsToBeDoneWhereNothingChanged() throws {
        let (networks, forwards) = try Self.everything()
        let table = try #require(PacketRules(networks, forwards: forwards).table)
        #expect(try #require(PacketRules(networks.reversed(), forwards: forwards).table) == table)
        #expect(table.edits(to: table) == [])
    }

    /// A chain cannot become a hook.
    @Test func whatIsOfAnotherKindIsWrittenAnew() {
        var (one, other) = (RuleTable(), RuleTable())
        one.add(["drop"], to: "forward")
        other.hook("forward", "filter", "forward", "filter", ["drop"])
        #expect(one.edits(to: other) == nil)
    }
}
