// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Starts or stops a network.
struct NetworkPowerOperation: OperationKind {
    static let name = "network.power"

    struct Request: Codable, Sendable {
        var network: ObjectReference
        /// Whether it is to be active.
        var active: Bool
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = NetworkEffects(environment: environment)
        let id = request.network.id
        try await journal.step("rules") { try await environment.firewall.ensure() }
        if request.active {
            try await journal.step("start", undo: { try await effects.stop(id) }) {
                try await effects.start(id)
                // Those that were on it when it was stopped.
                try await effects.attachGuests(to: request.network.name)
            }
        } else {
            try await journal.step("stop", undo: { try await restore(request.network) }) {
                try await effects.stop(id)
            }
        }
        try await journal.step(
            "observe", undo: { try await environment.watcher.refreshNetwork(id) }
        ) { try await environment.watcher.refreshNetwork(id) }
        return Outcome(request.network)
    }

    private func restore(_ network: ObjectReference) async throws {
        let effects = NetworkEffects(environment: environment)
        try await effects.start(network.id)
        try await effects.attachGuests(to: network.name)
        try await environment.watcher.refreshNetwork(network.id)
    }
}
