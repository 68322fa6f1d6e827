// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

/// Puts our mark onto a domain, or takes it off: that is all that changes when a VM is adopted or released.
struct VMMarkOperation: OperationKind {
    static let name = "vm.mark"

    struct Request: Codable, Sendable {
        var vm: ObjectReference
        /// The element in `<metadata>` as it was; `nil`: there was none.
        var before: String?
        /// The element as it shall be; `nil`: none.
        var after: String?
        /// Whether libvirt is to start it with the host from now on.
        var autostart: Bool?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let id = request.vm.id
        try await journal.step("mark", undo: { try await put(request.before, on: id) }) {
            try await put(request.after, on: id)
        }
        if request.autostart == true {
            try await journal.step("autostart", undo: { try await autostart(id, false) }) {
                try await autostart(id, true)
            }
        }
        try await journal.step("observe") { try await environment.observe(id) }
        return Outcome(request.vm)
    }

    private func autostart(_ id: ObjectID, _ on: Bool) async throws {
        try await DomainEffects(environment: environment).existing(id).setAutostart(on)
    }

    /// Waits for a change of the definition that is under way, for that would write the old mark back.
    private func put(_ text: String?, on id: ObjectID) async throws {
        try await environment.turns.alone(id) {
            let domains = DomainEffects(environment: environment)
            let domain = try await domains.existing(id)
            let affect = try await domains.affect(domain)
            try await domain.setMetadata(text, uri: Mark.namespace, key: Mark.prefix, affect)
        }
    }
}
