// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import HostNet
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

/// Rules for what guarded guests may send.
struct NICGuardTests {
    private static func nic(
        _ tap: String, _ addresses: [String] = [], prefixes: [String] = [], isRunning: Bool = true
    ) throws -> GuardedNIC {
        var nic = VM.NIC(mac: "52:54:00:00:00:01", network: "lab", tap: tap)
        (nic.antiSpoofing, nic.ip) = (true, addresses)
        var guarded = try #require(GuardedNIC(nic, isRunning: isRunning))
        guarded.prefixes = try prefixes.map { try Subnet(checking: $0) }
        return guarded
    }

    @Test func theSecondHalfOfAnAddressIsMadeOfTheMAC() throws {
        #expect(try Self.nic("vt1").interfaceID == 0x5054_00FF_FE00_0001)
    }

    @Test func nobodyNeedsNoTable() {
        #expect(GuardRules(nics: []).body == nil)
        var plain = VM.NIC(mac: "52:54:00:00:00:01", tap: "vt1")
        #expect(GuardedNIC(plain, isRunning: true) == nil)
        (plain.antiSpoofing, plain.tap) = (true, "a\" drop")
        #expect(GuardedNIC(plain, isRunning: true) == nil, "no text of others gets into the rules")
    }

    /// The kernel's own check, in a network namespace that ends with it.
    @Test(.enabled(if: geteuid() == 0)) func theKernelTakesThem() async throws {
        let nics = [
            try Self.nic(
                "vt1", ["192.168.122.9", "fd00::5", "10.0.0.1", "fd00::6"], prefixes: ["fd00::/64"]),
            try Self.nic("vt2"), try Self.nic("vt-3.x"), try Self.nic("v@+"),
        ]
        let learned: Set = [IPAddress("192.168.122.77")!, IPAddress("fe80::77")!]
        let body = try #require(GuardRules(nics: nics, learned: ["vt2": learned, "v@+": learned]).body)
        let folder = try TemporaryFolder()
        let file = try folder.write("table bridge t {\n\(body)}\n", to: "rules")
        let commands = "nft -f \(file) && nft list table bridge t"
        let answer = try await Tool.run("unshare", ["--net", "--", "sh", "-c", commands])
        #expect(answer.status == 0, "\(answer.errors)\n\(body)")
        let listing = GuardRules.Listing(answer.output)
        #expect(listing.learned(nics[0]).isEmpty, "what was said is none of what was learned")
        #expect(listing.learned(nics[1]) == learned && listing.learned(nics[3]) == learned)
        #expect(listing.learned(nics[2]).isEmpty)
        #expect(!listing.shape.contains("192.168.122.77") && listing.shape.contains("from_vt2"))
    }

    /// What real frames of a liar come to, on a bridge of a network namespace that ends with it.
    @Test(.enabled(if: geteuid() == 0)) func aLiarIsStoppedAndHeardWithoutThem() async throws {
        let nic = try Self.nic("vt1", ["10.0.0.5", "fd00:1::5"], prefixes: ["fd00:1::/64"])
        let body = try #require(GuardRules(nics: [nic]).body)
        let folder = try TemporaryFolder()
        let file = try folder.write("table bridge t {\n\(body)}\n", to: "rules")
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../lab/bridge-packets").standardized.path
        let heard: Set = [
            "its own IPv4", "its own ARP", "a question whether an address is free", "a question to DHCP",
            "the IPv6 of its MAC", "an IPv6 that was said", "the question whether anybody has it",
            "an IPv6 that it asked for", "a claim of what it asked for", "what DHCP gave it",
        ]
        let without = try await Tool.run("unshare", ["--net", "--", script])
        #expect(without.status == 0, "\(without.errors)")
        #expect(without.output.contains("another's ARP: heard") && !without.output.contains(": stopped"))
        let with = try await Tool.run("unshare", ["--net", "--", script, file])
        #expect(with.status == 0, "\(with.errors)")
        let lines = with.output.split(separator: "\n").map { $0.components(separatedBy: ": ") }
        #expect(lines.count == without.output.split(separator: "\n").count && lines.count > 20)
        for line in lines {
            #expect(line.last == (heard.contains(line[0]) ? "heard" : "stopped"), "\(line[0])")
        }
    }

    /// Without what this machine's kernel may lack: the words are checked, and nothing else.
    @Test func aGroupAllowsWhatItSays() throws {
        var nic = VM.NIC(mac: "52:54:00:00:00:01", tap: "vt1")
        nic.securityGroups = ["web", "gone"]
        let rules = [
            try SecurityRule(checking: "tcp/22 from 10.0.0.0/8"), try SecurityRule(checking: "icmp"),
        ]
        let guarded = try #require(GuardedNIC(nic, isRunning: true))
        let body = try #require(GuardRules(nics: [guarded], groups: ["web": rules]).body)
        #expect(body.contains("ether type ip ip saddr 10.0.0.0/8 tcp dport 22-22 accept"))
        #expect(body.contains("ether type ip meta l4proto icmp accept"))
        #expect(body.contains("ether type ip6 meta l4proto ipv6-icmp accept"))
        #expect(body.contains("ct state established ct direction reply accept"))
        #expect(!body.contains("from_vt1"), "it may send what it likes")
        let shut = try #require(GuardRules(nics: [guarded]).body)
        #expect(!shut.contains("dport 22"), "a group that is gone allows nothing")
    }

    /// A kernel that cannot tell answers lets no less of the other rules stand.
    private final class NoFlows: PacketTable {
        let body = Mutex<String?>(nil)
        let knowsFlows = Mutex(false)
        func read() -> String? { body.withLock { $0 } }
        func replace(with text: String?) throws {
            if text?.contains("ct state") == true, !knowsFlows.withLock(\.self) {
                throw HostNetError(
                    call: "write packet rules", errno: EOPNOTSUPP, message: "no ct", isOfRules: true)
            }
            body.withLock { $0 = text }
        }
    }

    @Test func withoutFlowsTheOtherRulesStand() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let table = NoFlows()
        let filter = NICGuard(inventory: core.inventory, table: table, logger: core.environment.logger)
        try await core.environment.watcher.resync()
        var group = SecurityGroupCreate(name: try Name("web"))
        group.rules = [try SecurityRule(checking: "tcp/80")]
        _ = try await core.securityGroups.create(group, bench.context("securitygroup.create"))
        try await bench.make("web", on: core) { create in
            create.networks = [NICSpec(network: .name("default")), NICSpec(network: .name("default"))]
            create.networks?[0].antiSpoofing = true
            create.networks?[1].securityGroups = [try! Name("web")]
        }
        let warned = {
            try await core.inventory.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM warning") }
        }
        await #expect(throws: HostNetError.self) { try await filter.ensure() }
        let least = try #require(table.read())
        #expect(least.contains("from_") && least.contains("arp accept") && !least.contains("dport 80"))
        #expect(try await warned() == 1)
        await filter.check(asksKernel: false)
        #expect(try await warned() == 1)
        table.knowsFlows.withLock { $0 = true }
        try await filter.ensure()
        #expect(table.read()?.contains("dport 80-80 accept") == true)
        #expect(try await warned() == 0)
        try core.inventory.close()
    }

    @Test func whatWasLearnedOfAGuestGoesWhenItStops() throws {
        let learned = ["vt1": Set([IPAddress("192.168.122.77")!])]
        let running = try #require(GuardRules(nics: [try Self.nic("vt1")], learned: learned).body)
        #expect(running.contains("0xc0a87a4d"))
        let stopped = GuardRules(nics: [try Self.nic("vt1", isRunning: false)], learned: learned)
        #expect(stopped.body?.contains("0xc0a87a4d") == false)
    }

    /// A table that somebody can empty, and that notes how often it is written.
    private final class Table: PacketTable {
        let state = Mutex<(body: String?, writes: Int)>((nil, 0))
        func replace(with body: String?) { state.withLock { $0 = (body, $0.writes + 1) } }
        func read() -> String? { state.withLock { $0.body } }
        func set(_ body: String?) { state.withLock { $0.body = body } }
        var writes: Int { state.withLock { $0.writes } }
    }

    private static func make(_ table: Table, _ core: Core) -> NICGuard {
        NICGuard(inventory: core.inventory, table: table, logger: core.environment.logger)
    }

    @Test func theTableIsThereWhileSomebodyNeedsIt() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let table = Table()
        let filter = Self.make(table, core)
        try await core.environment.watcher.resync()
        try await filter.ensure()
        #expect(table.writes == 0, "nobody needs it")
        try await bench.make("web", on: core) { create in
            var nic = NICSpec(network: .name("default"))
            (nic.antiSpoofing, nic.ip) = (true, [IPAddress("192.168.122.9")!])
            create.networks = [nic]
        }
        let nic = try #require(try await core.vms.row(.name("web")).value().nics.first)
        #expect(nic.antiSpoofing == true && nic.ip == ["192.168.122.9"])
        try await filter.ensure()
        #expect(table.read()?.contains("from_\(nic.tap ?? "?")") == true && table.writes == 1)
        try await filter.ensure()
        #expect(table.writes == 1, "nothing has changed")
        table.set(nil)
        try await filter.ensure(asksKernel: false)
        #expect(table.read() == nil)
        try await filter.ensure()
        #expect(table.read()?.contains("192.168.122.9") == true && table.writes == 2, "it is put back")
        _ = try await core.vms.delete(.name("web"), keepDisks: false, bench.context("vm.delete"))
        await core.engine.idle()
        try await filter.ensure()
        #expect(table.read() == nil && table.writes == 3)
        try core.inventory.close()
    }

    /// What is somebody else's by now is so at once, and is forgotten where it was learned.
    @Test func anAddressIsTheirsWhoHaveItNow() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let table = Table()
        let filter = Self.make(table, core)
        try await bench.make("web", on: core) { create in
            create.networks = [NICSpec(network: .name("default"))]
            create.networks?[0].antiSpoofing = true
            create.start = true
        }
        try await core.environment.watcher.resync()
        try await filter.ensure()
        let tap = try #require(try await core.vms.row(.name("web")).value().nics.first?.tap)
        let body = try #require(table.read())
        // The kernel has learned one on the way.
        let set = "set ip4_\(tap) {\n"
        table.set(body.replacing(set, with: set + "\telements = { 0xc0a87a32 }\n"))
        try await filter.ensure()
        #expect(table.writes == 1 && table.read()?.contains("0xc0a87a32") == true)
        try await bench.make("db", on: core) { create in
            create.networks = [NICSpec(network: .name("default"))]
            create.networks?[0].ip = [IPAddress("192.168.122.50")!]
        }
        try await filter.ensure()
        #expect(table.writes == 2 && table.read()?.contains("0xc0a87a32") == false)
        try core.inventory.close()
    }

    @Test func rulesComeBeforeTheNIC() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let table = Table()
        let filter = Self.make(table, core)
        try await core.environment.watcher.resync()
        var nic = DomainPlan.NIC(mac: "52:54:00:00:00:01", network: "default", tap: "vt9")
        #expect(GuardedNIC(nic) == nil, "it is not guarded")
        nic.guarding = Mark.NIC(mac: nic.mac)
        nic.guarding?.antiSpoofing = true
        try await filter.hold([try #require(GuardedNIC(nic))])
        #expect(table.read()?.contains("from_vt9") == true)
        try await filter.drop(["vt9"])
        #expect(table.read() == nil)
        try core.inventory.close()
    }
}
