// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Deletes a network: stops it, removes its definition, and then its rules.
struct NetworkDeleteOperation: OperationKind {
    static let name = "network.delete"

    struct Request: Codable, Sendable {
        var network: ObjectReference
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = NetworkEffects(environment: environment)
        let id = request.network.id
        try journal.pointOfNoReturn()
        try await journal.step("stop") {
            if try await effects.ours(id) != nil { try await effects.stop(id) }
        }
        try await journal.step("undefine") { try await effects.undefine(id, request.network.name) }
        try await journal.step("rules") { try await environment.firewall.ensure(without: id) }
        return Outcome(request.network) { try $0.removeNetwork(id, origin: .vctl) }
    }
}
