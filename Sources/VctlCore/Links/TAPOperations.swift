// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Makes a TAP.
struct TAPCreateOperation: OperationKind {
    static let name = "tap.create"

    struct Request: Codable, Sendable {
        var tap: KeptTAP
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let (tap, maker, state) = (request.tap, TAPMaker(environment), environment.state)
        try await environment.awaitKeeping(of: tap.id)
        try await journal.step("link", undo: { try await maker.links.remove(tap.id) }) {
            try await maker.ensure(tap)
        }
        try await journal.step("keep", undo: { try state.forget(.tap, tap.id) }) {
            try state.keep(.tap, tap.id, tap)
        }
        return Outcome(tap.reference)
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try transaction.remove(link: request.tap, operation: operation)
    }
}

/// Deletes a TAP.
struct TAPDeleteOperation: OperationKind {
    static let name = "tap.delete"

    struct Request: Codable, Sendable {
        var tap: KeptTAP
        /// Also where somebody would lose it.
        var force: Bool
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let (tap, maker, state) = (request.tap, TAPMaker(environment), environment.state)
        try await environment.awaitKeeping(of: tap.id)
        try await journal.step("users") {
            if !request.force { try await maker.refuseUsed(tap) }
        }
        try await journal.step("forget", undo: { try state.keep(.tap, tap.id, tap) }) {
            try state.forget(.tap, tap.id)
        }
        try journal.pointOfNoReturn()
        try await journal.step("remove") { try await maker.links.remove(tap.id) }
        return Outcome(tap.reference) { [operation = journal.operation] transaction in
            try transaction.remove(link: tap, operation: operation)
        }
    }
}
