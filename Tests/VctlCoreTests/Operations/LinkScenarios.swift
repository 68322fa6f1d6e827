// SPDX-License-Identifier: Apache-2.0
import HostNet
import VctlAPI

@testable import VctlCore

extension Scenario {
    static let links: [Scenario] = [
        Scenario(name: "make a TAP", kind: "tap.create", prepare: { _, _ in }) { bench, core in
            try await core.taps.create(try tap(), bench.context("tap.create")).operationID
        },
        Scenario(name: "delete a TAP", kind: "tap.delete", prepare: tapMade) { bench, core in
            try await core.taps.delete(.name("lab0"), bench.context("tap.delete")).operationID
        },
        Scenario(name: "make a bridge", kind: "bridge.create", prepare: card) { bench, core in
            try await core.bridges.create(try bridge(), bench.context("bridge.create")).operationID
        },
        Scenario(name: "change a bridge", kind: "bridge.set", prepare: bridgeMade) { bench, core in
            var patch = BridgePatch()
            patch.addresses = [try LinkAddress("fd00:20::1/64")]
            patch.ports = []
            patch.mtu = Removable(1400)
            patch.stp = true
            let context = bench.context("bridge.set")
            return try await core.bridges.set(.name("lan0"), patch, context).operationID
        },
        Scenario(name: "delete a bridge", kind: "bridge.delete", prepare: bridgeMade) { bench, core in
            try await core.bridges.delete(.name("lan0"), bench.context("bridge.delete")).operationID
        },
    ]

    private static func bridge() throws -> BridgeCreate {
        var create = BridgeCreate(name: try LinkName("lan0"))
        create.addresses = [try LinkAddress("10.20.0.1/24")]
        create.ports = [try LinkName("card0")]
        return create
    }

    @Sendable private static func card(_ bench: Bench, _ core: Core) async throws {
        try bench.links.add(Link(index: 0, name: "card0", kind: .other(nil)))
    }

    @Sendable private static func bridgeMade(_ bench: Bench, _ core: Core) async throws {
        try await card(bench, core)
        _ = try await core.bridges.create(try bridge(), bench.context("bridge.create"))
        await core.engine.idle()
    }

    private static func tap() throws -> TAPCreate {
        var create = TAPCreate(name: try LinkName("lab0"))
        create.bridge = try LinkName("br7")
        create.owner = "root"
        create.labels = ["env": "lab"]
        return create
    }

    @Sendable private static func tapMade(_ bench: Bench, _ core: Core) async throws {
        _ = try await core.taps.create(try tap(), bench.context("tap.create"))
        await core.engine.idle()
    }
}
