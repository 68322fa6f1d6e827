// SPDX-License-Identifier: Apache-2.0
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
    ]

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
