// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Lets ports of the host lead to a VM, whose address is kept for it from then on; or no more.
struct NetworkForwardOperation: OperationKind {
    static let name = "network.forward"

    struct Request: Codable, Sendable {
        var forward: NetworkForward
        /// Whether it comes or goes.
        var adds: Bool
        /// How the VM's address is kept, where it is not yet.
        var reserve: NetworkDefineOperation.Request?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        try await request.adds ? add(request, journal) : remove(request, journal)
    }

    private func add(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let (state, forward) = (environment.state, request.forward)
        if let reserve = request.reserve {
            try await NetworkDefineOperation(environment: environment).change(reserve, journal)
        }
        try await journal.step("keep", undo: { try state.forget(.forward, forward.id) }) {
            try state.keep(.forward, forward.id, forward)
        }
        let undo = { @Sendable in try await environment.firewall.ensure(without: forward.id) }
        try await journal.step("rules", undo: undo) { try await environment.firewall.ensure() }
        return Outcome(network(forward))
    }

    private func remove(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let (state, forward) = (environment.state, request.forward)
        try journal.pointOfNoReturn()
        try await journal.step("forget") { try state.forget(.forward, forward.id) }
        try await journal.step("rules") { try await environment.firewall.ensure(without: forward.id) }
        let said = try await journal.step("cut") { () -> String? in await cut(forward) }
        if let said { journal.warn(said) }
        return Outcome(network(forward)) { try $0.removeForward(forward) }
    }

    private func network(_ forward: NetworkForward) -> ObjectReference {
        ObjectReference(kind: .network, id: forward.networkID, name: forward.network)
    }

    /// Ends what goes on through it: the kernel remembers where a flow leads to longer than the rule lasts.
    /// - Returns: what is to be said, where that cannot be done.
    private func cut(_ forward: NetworkForward) async -> String? {
        guard environment.firewall.isReal else { return nil }
        guard let conntrack = Tool.locate("conntrack") else {
            return "connections through \(forward.key) that are open go on: conntrack is not installed"
        }
        for port in forward.vmPorts.first...min(forward.vmPorts.last, forward.vmPorts.first + 255) {
            let arguments = [
                "-D", "-f", forward.address.family.rawValue, "-p", forward.protocol.rawValue, "--reply-src",
                "\(forward.vmAddress)", "--reply-port-src", "\(port)",
            ]
            // It fails where there is none.
            _ = try? await Tool(conntrack, arguments).answer()
        }
        return nil
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        if request.adds { try transaction.removeForward(request.forward) }
    }
}
