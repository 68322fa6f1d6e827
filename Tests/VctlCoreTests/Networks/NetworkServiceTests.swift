// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct NetworkServiceTests {
    private func create(
        _ name: String, _ model: NetworkModel = .nat, _ subnet: String? = nil
    ) throws -> NetworkCreate {
        var create = NetworkCreate(name: try Name(name), model: model)
        create.subnet = try subnet.map { .subnet(try Subnet(checking: $0)) }
        return create
    }

    private func refused(_ code: ErrorCode, _ body: () async throws -> Accepted) async -> Problem? {
        let problem = await #expect(throws: Problem.self) { _ = try await body() }
        #expect(problem?.errorCode == code, "\(problem?.detail ?? "")")
        return problem
    }

    private func network(_ name: String, _ core: Core) async throws -> Network {
        try JSON.value(Network.self, try await core.networks.show(.name(name)).json)
    }

    @Test func whatIsTakenIsNamed() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        let context = bench.context("network.create")
        _ = try await core.networks.create(try create("lab", .nat, "10.99.0.0/24"), context)
        await core.engine.idle()
        let overlap = await refused(.networkOverlap) {
            try await core.networks.create(try create("other", .routed, "10.99.0.128/25"), context)
        }
        #expect(overlap?.detail == "10.99.0.128/25 overlaps with 10.99.0.0/24 of network lab")
        let others = await refused(.networkOverlap) {
            try await core.networks.create(try create("other", .nat, "192.168.0.0/16"), context)
        }
        #expect(others?.detail.contains("network default") == true)
        _ = await refused(.networkExists) { try await core.networks.create(try create("lab"), context) }
        _ = await refused(.networkExists) { try await core.networks.create(try create("default"), context) }
        let lost = await refused(.requestInvalid) {
            var bridged = try create("lan", .bridged)
            bridged.bridge = "no-such-bridge"
            return try await core.networks.create(bridged, context)
        }
        #expect(lost?.errors?.map(\.field) == ["bridge"])
        try core.inventory.close()
    }

    @Test func freeSubnetsAreFoundForManyAtOnce() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<8 {
                group.addTask {
                    var request = try create("n\(index)", .routed)
                    request.subnet6 = .auto
                    _ = try await core.networks.create(request, bench.context("network.create"))
                }
            }
            try await group.waitForAll()
        }
        await core.engine.idle()
        let networks = try await core.inventory.read { try NetworkStore.all($0).map { try $0.value() } }
        let ours = networks.filter(\.managed)
        #expect(ours.count == 8 && ours.allSatisfy { $0.state == .running && $0.subnet6 != nil })
        let subnets = networks.flatMap(\.subnets)
        for (index, one) in subnets.enumerated() {
            #expect(!subnets.dropFirst(index + 1).contains { $0.overlaps(one) }, "\(one)")
        }
        try core.inventory.close()
    }

    @Test func usedNetworksStay() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        _ = try await core.networks.create(try create("lab"), bench.context("network.create"))
        await core.engine.idle()
        try await bench.make("web", on: core) { $0.networks = [NICSpec(network: .name("lab"))] }
        #expect(try await network("lab", core).usedBy == ["web"])
        let problem = await refused(.networkInUse) {
            try await core.networks.delete(.name("lab"), bench.context("network.delete"))
        }
        #expect(problem?.detail == "network lab is used by VM web")
        // A VM that is off notices no stop.
        _ = try await core.networks.stop(.name("lab"), bench.context("network.stop"))
        await core.engine.idle()
        #expect(try await network("lab", core).state == .stopped)
        try core.inventory.close()
    }

    @Test func foreignNetworksAreShownAndLeft() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        try await core.environment.watcher.resync()
        let seen = try await network("default", core)
        #expect(!seen.managed && seen.subnet?.description == "192.168.122.0/24")
        _ = await refused(.networkForeign) {
            try await core.networks.delete(.name("default"), bench.context("network.delete"))
        }
        _ = await refused(.networkForeign) {
            try await core.networks.set(.name("default"), NetworkPatch(), bench.context("network.set"))
        }
        _ = await refused(.networkForeign) {
            try await core.networks.stop(.name("default"), bench.context("network.stop"))
        }
        let missing = await refused(.networkNotFound) {
            try await core.networks.start(.name("defualt"), bench.context("network.start"))
        }
        #expect(missing?.hint?.contains("default") == true)
        try core.inventory.close()
    }

    @Test func protectedNetworksNeedForce() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        var request = try create("lab")
        request.protected = true
        _ = try await core.networks.create(request, bench.context("network.create"))
        await core.engine.idle()
        var context = bench.context("network.delete")
        _ = await refused(.networkProtected) { try await core.networks.delete(.name("lab"), context) }
        context.force = true
        _ = try await core.networks.delete(.name("lab"), context)
        await core.engine.idle()
        _ = await refused(.networkNotFound) { try await core.networks.delete(.name("lab"), context) }
        try core.inventory.close()
    }

    @Test func whatNeedsARestartIsToldBefore() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        _ = try await core.networks.create(try create("lab"), bench.context("network.create"))
        await core.engine.idle()
        var patch = NetworkPatch()
        patch.domain = RemovableText("lab.test")
        var context = bench.context("network.set")
        _ = await refused(.networkRestart) { try await core.networks.set(.name("lab"), patch, context) }
        context.force = true
        let id = try await core.networks.set(.name("lab"), patch, context).operationID
        await core.engine.idle()
        #expect(try await core.operations.get(.id(id)).status == .succeeded)
        #expect(try await network("lab", core).state == .running)
        try core.inventory.close()
    }

    @Test func aDryRunChangesNothing() async throws {
        let bench = try await Bench()
        let core = try await bench.core()
        var context = bench.context("network.create")
        context.dryRun = true
        let reply = try await core.networks.create(try create("lab", .nat, "10.99.0.0/24"), context)
        guard case .preview(let preview) = reply else { return #expect(Bool(false), "no preview") }
        #expect(preview.changes.first?.contains("10.99.0.0/24") == true)
        #expect(try await core.inventory.read { try NetworkStore.find($0, .name("lab")) } == nil)
        try core.inventory.close()
    }
}
