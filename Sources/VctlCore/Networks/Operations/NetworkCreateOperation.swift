// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Makes a network: its definition, its rules, and then the network itself.
struct NetworkCreateOperation: OperationKind {
    static let name = "network.create"

    struct Request: Codable, Sendable {
        var plan: NetworkPlan
        var autostart: Bool
        var start: Bool
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = NetworkEffects(environment: environment)
        let id = request.plan.id
        let name = request.plan.name
        try await journal.step("define", undo: { try await effects.undefine(id, name) }) {
            try await effects.define(request.plan, autostart: request.autostart)
        }
        try await journal.step("rules", undo: { try await environment.firewall.ensure(without: id) }) {
            try await environment.firewall.ensure()
        }
        if request.start {
            try await journal.step("start", undo: { try await effects.stop(id) }) {
                try await effects.start(id)
            }
        }
        try await journal.step("observe") { try await environment.watcher.refreshNetwork(id) }
        return Outcome(request.plan.reference)
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try transaction.removeNetwork(request.plan.id, origin: .vctl)
    }
}
