// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Synchronization
import Testing
import VctlAPI

@testable import VctlCore

struct SecurityGroupTests {
    private let bench: Bench
    private let core: Core

    init() async throws {
        bench = try await Bench()
        core = try await bench.core()
    }

    private final class Table: PacketTable {
        let body = Mutex<String?>(nil)
        func replace(with text: String?) { body.withLock { $0 = text } }
        func read() -> String? { body.withLock { $0 } }
    }

    private func make(_ name: String, _ rules: [String], on groups: SecurityGroupService) async throws {
        var create = SecurityGroupCreate(name: try Name(name))
        create.rules = try rules.map { try SecurityRule(checking: $0) }
        _ = try await groups.create(create, bench.context("securitygroup.create"))
    }

    private func shown(_ name: String) async throws -> SecurityGroup {
        try JSON.value(SecurityGroup.self, try await core.securityGroups.show(.name(name)).json)
    }

    private func code(_ body: () async throws -> Void) async -> ErrorCode? {
        do { try await body() } catch { return (error as? Problem)?.errorCode }
        return nil
    }

    @Test func aChangeCountsAtOnceAndAGroupInUseStays() async throws {
        let table = Table()
        let nicGuard = NICGuard(inventory: core.inventory, table: table, logger: core.environment.logger)
        let groups = SecurityGroupService(
            inventory: core.inventory, state: core.state, nicGuard: nicGuard)
        try await make("web", ["tcp/80"], on: groups)
        #expect(await code { try await make("web", [], on: groups) } == .securityGroupExists)
        try await bench.make("vm1", on: core) { create in
            create.networks = [NICSpec(network: .name("default"))]
            create.networks?[0].securityGroups = [try! Name("web")]
        }
        try await core.environment.watcher.resync()
        try await nicGuard.ensure()
        #expect(table.read()?.contains("tcp dport 80-80 accept") == true)
        #expect(try await shown("web").usedBy == ["vm1"])
        var patch = SecurityGroupPatch()
        patch.rules = [try SecurityRule(checking: "udp/53 from fd00::/8")]
        _ = try await groups.set(.name("web"), patch, bench.context("securitygroup.set"))
        #expect(table.read()?.contains("ip6 saddr fd00::/8 udp dport 53-53 accept") == true)
        #expect(table.read()?.contains("dport 80") == false)
        let delete = { () async throws in
            _ = try await groups.delete(.name("web"), bench.context("securitygroup.delete"))
        }
        #expect(await code(delete) == .securityGroupInUse)
        _ = try await core.vms.delete(.name("vm1"), keepDisks: false, bench.context("vm.delete"))
        await core.engine.idle()
        try await delete()
        #expect(core.state.kept(.securitygroup, SecurityGroup.self).values.isEmpty)
        #expect(await code { _ = try await shown("web") } == .securityGroupNotFound)
        try core.inventory.close()
    }

    @Test func aVMOfNoSuchGroupIsRefused() async throws {
        let wrong = await code {
            try await bench.make("vm1", on: core) { create in
                create.networks = [NICSpec(network: .name("default"))]
                create.networks?[0].securityGroups = [try! Name("none")]
            }
        }
        #expect(wrong == .securityGroupNotFound)
        try core.inventory.close()
    }

    /// The file says all that the row said.
    @Test func groupsComeBackWhenTheDatabaseIsLost() async throws {
        try await make("web", ["tcp/22 from 10.0.0.0/8", "icmp"], on: core.securityGroups)
        let before = try await shown("web")
        try await core.inventory.write { transaction in
            try transaction.execute("DELETE FROM securitygroup", [])
            #expect(try SecurityGroupRecovery.restore(core.state, transaction).isEmpty)
        }
        #expect(try await shown("web") == before)
        try core.inventory.close()
    }
}
