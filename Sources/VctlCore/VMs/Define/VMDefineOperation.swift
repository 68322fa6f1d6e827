// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

/// Makes a VM of a definition that somebody wrote. The files that it names are used where they are, and are
/// not made or removed.
struct VMDefineOperation: OperationKind {
    static let name = "vm.define"

    struct Request: Codable, Sendable {
        var vm: ObjectReference
        /// The name of its definition among those that are kept.
        var definition: String
        var start: Bool
        var autostart: Bool
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let domains = DomainEffects(environment: environment)
        let files = DefinitionFiles(environment.state)
        let id = request.vm.id
        try await journal.step("define", undo: { try await domains.undefine(id) }) {
            try await domains.define(id, autostart: request.autostart) { try files.text(request.definition) }
        }
        if request.start { try await domains.startNew(id, journal) }
        try await journal.step("observe") { try await environment.observe(id) }
        try await journal.step("forget") { try files.remove(request.definition) }
        return Outcome(request.vm)
    }

    /// A seed or variables under its UUID may be from before: what we did not make stays.
    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try DefinitionFiles(environment.state).remove(request.definition)
        try transaction.removeVM(request.vm.id, origin: .vctl)
    }
}

extension DomainEffects {
    /// - Parameter text: of a definition that bears our mark.
    fileprivate func define(_ id: ObjectID, autostart: Bool, _ text: () throws -> String) async throws {
        var domain = try await ours(id)
        if domain == nil {
            let connection = try environment.hypervisor.managed.connection()
            domain = try await connection.define(byHand: try text())
        }
        if autostart { try await domain?.setAutostart(true) }
    }
}
