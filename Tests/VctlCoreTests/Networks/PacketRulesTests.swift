// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct PacketRulesTests {
    private func network(_ name: String, _ model: NetworkModel, _ subnets: String...) throws -> Network {
        let mode = model == .isolated ? "none" : model == .bridged ? "bridge" : "open"
        var network = Network(
            id: ObjectID(), name: name, mode: mode, state: .stopped, observedAt: Timestamp(milliseconds: 0))
        (network.model, network.managed, network.bridge) = (model, true, "vbr-\(name)")
        let known = try subnets.map { try Subnet(checking: $0) }
        network.subnet = known.first { $0.family == .ipv4 }
        network.subnet6 = known.first { $0.family == .ipv6 }
        return network
    }

    @Test func natLetsOutAndNobodyIn() throws {
        let body = try #require(PacketRules([try network("a", .nat, "10.9.0.0/24", "fd00::/64")]).body)
        #expect(
            body == """
                chain arriving_vbr-a {
                    ct state established,related accept
                    drop
                }
                chain leaving_vbr-a {
                    oifname "vbr-a" accept
                    ip saddr != 10.9.0.0/24 drop
                    ip6 saddr != fd00::/64 drop
                }
                chain sources4_24_a090000 {
                    ip saddr 10.9.0.0/24 oifname != "vbr-a" ip daddr != 224.0.0.0/4 masquerade
                }
                chain sources6_64_fd000000000000000000000000000000 {
                    ip6 saddr fd00::/64 oifname != "vbr-a" ip6 daddr != ff00::/8 masquerade
                }
                map arriving {
                    type ifname : verdict
                    elements = { "vbr-a" : jump arriving_vbr-a }
                }
                map leaving {
                    type ifname : verdict
                    elements = { "vbr-a" : jump leaving_vbr-a }
                }
                map sources4_24 {
                    type ipv4_addr : verdict
                    elements = { 10.9.0.0 : jump sources4_24_a090000 }
                }
                map sources6_64 {
                    type ipv6_addr : verdict
                    elements = { fd00:: : jump sources6_64_fd000000000000000000000000000000 }
                }
                chain forward {
                    type filter hook forward priority filter; policy accept;
                    iifname vmap @leaving
                    oifname vmap @arriving
                }
                chain postrouting {
                    type nat hook postrouting priority srcnat; policy accept;
                    ip saddr & 255.255.255.0 vmap @sources4_24
                    ip6 saddr & ffff:ffff:ffff:ffff:: vmap @sources6_64
                }

                """)
    }

    @Test func isolationComesBeforeWhatLetsPass() throws {
        let networks = [try network("a", .nat, "10.9.0.0/24"), try network("z", .isolated)]
        let body = try #require(PacketRules(networks).body)
        let drop = try #require(body.firstRange(of: "    iifname vmap @leaving\n"))
        let pass = try #require(body.firstRange(of: "    oifname vmap @arriving\n"))
        #expect(drop.lowerBound < pass.lowerBound)
        #expect(body.contains("chain leaving_vbr-z {\n    oifname \"vbr-z\" accept\n    drop\n}\n"))
        #expect(body.contains("chain arriving_vbr-z {\n    drop\n}\n"))
        #expect(body.contains("chain input") && body.contains("chain output"))
        #expect(body.contains("    ip saddr != 10.9.0.0/24 drop\n    meta nfproto ipv6 drop\n"))
    }

    @Test func theHostIsKeptOutOnlyWhereItIsNotIn() throws {
        var deep = try network("deep", .isolated, "10.9.0.0/24")
        deep.hostAccess = true
        let body = try #require(PacketRules([deep]).body)
        #expect(!body.contains("chain input") && !body.contains("chain output"))
    }

    @Test func othersAndThoseWithoutNeedHaveNoRules() throws {
        var foreign = try network("a", .nat, "10.9.0.0/24")
        foreign.managed = false
        var own = try network("b", .nat, "10.8.0.0/24")
        own.mode = "nat"
        var odd = try network("c", .nat, "10.7.0.0/24")
        odd.bridge = "x\" drop"
        let open = try network("d", .routed, "10.6.0.0/24")
        #expect(PacketRules([foreign, own, odd, open, try network("e", .bridged)]).body == nil)
    }
}

/// What the house believes of its table, with a table that notes what it is told.
@Suite struct FirewallTests {
    private final class Table: PacketTable {
        let state = Mutex<(body: String?, writes: Int)>((nil, 0))
        func replace(with body: String?) { state.withLock { $0 = (body, $0.writes + 1) } }
        func read() -> String? { state.withLock { $0.body } }
    }

    /// A rebuilt inventory knows no networks, and the rules that are there may be theirs.
    @Test func rulesStayUntilLibvirtWasRead() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let table = Table()
        table.replace(with: "those of before")
        let firewall = Firewall(
            inventory: core.inventory, table: table, logger: core.environment.logger)
        try await firewall.ensure()
        #expect(table.read() == "those of before")
        try await core.environment.watcher.resync()
        try await firewall.ensure()
        #expect(table.read() == nil)
        try core.inventory.close()
    }

    /// What the next boot loads is what was written, and goes with it.
    @Test func rulesAreKeptForTheNextBoot() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let (table, path) = (Table(), "\(core.state.path)/firewall.nft")
        let files = FileManager.default
        try Data("of a network that was".utf8).write(to: URL(fileURLWithPath: path))
        let firewall = Firewall(
            inventory: core.inventory, table: table, kept: KeptRules(core.state),
            logger: core.environment.logger)
        try await core.environment.watcher.resync()
        try await firewall.ensure()
        #expect(!files.fileExists(atPath: path))
        var create = NetworkCreate(name: try Name("lab"), model: .nat)
        create.subnet = .subnet(try Subnet(checking: "10.99.0.0/24"))
        _ = try await core.networks.create(create, bench.context("network.create"))
        await core.engine.idle()
        try await firewall.ensure()
        let body = try #require(table.read())
        let name = core.state.tableName
        #expect(
            try String(contentsOfFile: path, encoding: .utf8) == """
                table inet \(name) { }
                delete table inet \(name)
                table inet \(name) {
                \(body)}

                """)
        let mode = try files.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        _ = try await core.networks.delete(.name("lab"), bench.context("network.delete"))
        await core.engine.idle()
        try await firewall.ensure()
        #expect(!files.fileExists(atPath: path))
        #expect(try KeptRules(stateDirectory: core.state.path).load() == false)
        try core.inventory.close()
    }

    @Test(arguments: [
        "", "flush ruleset\n", "table inet theirs { }\n", "table ip vctl { }\n", "table inet vctl",
    ])
    func onlyOurOwnTableIsLoaded(_ text: String) async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(core.state.path)/firewall.nft"))
        #expect(throws: (any Error).self) { try KeptRules(stateDirectory: core.state.path).load() }
        try core.inventory.close()
    }

    @Test func rulesComeAndGoWithTheirNetwork() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let table = Table()
        let firewall = Firewall(
            inventory: core.inventory, table: table, logger: core.environment.logger)
        try await core.environment.watcher.resync()
        try await firewall.ensure()
        #expect(table.state.withLock { $0.writes } == 0, "nobody needs a table")
        var create = NetworkCreate(name: try Name("lab"), model: .nat)
        create.subnet = .subnet(try Subnet(checking: "10.99.0.0/24"))
        _ = try await core.networks.create(create, bench.context("network.create"))
        await core.engine.idle()
        try await firewall.ensure()
        try await firewall.ensure()
        #expect(table.state.withLock { $0.writes } == 1 && table.read()?.contains("10.99.0.0/24") == true)
        table.replace(with: nil)
        try await firewall.ensure()
        #expect(table.read()?.contains("masquerade") == true, "what others removed is put back")
        _ = try await core.networks.delete(.name("lab"), bench.context("network.delete"))
        await core.engine.idle()
        try await firewall.ensure()
        #expect(table.read() == nil)
        try core.inventory.close()
    }
}
