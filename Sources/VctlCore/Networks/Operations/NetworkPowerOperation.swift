// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

/// Starts or stops a network.
struct NetworkPowerOperation: OperationKind {
    static let name = "network.power"

    struct Request: Codable, Sendable {
        var network: ObjectReference
        /// Whether it is to be active.
        var active: Bool
        /// Whether running VMs on it do not count.
        var force: Bool?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = NetworkEffects(environment: environment)
        let id = request.network.id
        try await journal.step("rules") { try await environment.firewall.ensure() }
        let wasActive = try await journal.step("before") { try await effects.existing(id).isActive() }
        if request.active {
            try await journal.step("start", undo: { if !wasActive { try await effects.stop(id) } }) {
                try await effects.start(id)
                // Those that were on it when it was stopped.
                try await effects.attachGuests(to: request.network.name)
            }
        } else {
            try await journal.step("stop", undo: { if wasActive { try await restore(request.network) } }) {
                if wasActive { try await refuseUsed(request) }
                try await effects.stop(id)
            }
        }
        try await journal.step(
            "observe", undo: { try await environment.watcher.refreshNetwork(id) }
        ) { try await environment.watcher.refreshNetwork(id) }
        return Outcome(request.network)
    }

    /// A VM may have begun to run on it since the request was accepted.
    private func refuseUsed(_ request: Request) async throws {
        guard request.force != true else { return }
        let name = request.network.name
        let users = try await NetworkEffects(environment: environment).users(of: name, running: true)
        guard users.isEmpty else { throw NetworkService.stopping(name, users) }
    }

    private func restore(_ network: ObjectReference) async throws {
        let effects = NetworkEffects(environment: environment)
        try await effects.start(network.id)
        try await effects.attachGuests(to: network.name)
        try await environment.watcher.refreshNetwork(network.id)
    }
}
