// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A kind of long work: a stored request, and a function over it that may run again after a crash. Finished
/// steps then return what they returned before; so between steps nothing may depend on anything but the
/// request and the outputs of earlier steps.
protocol OperationKind: Sendable {
    associatedtype Request: Codable & Sendable

    /// `vm.create`: the name in the journal and the API.
    static var name: String { get }
    /// Grows when a stored request or the steps' keys change their meaning.
    static var version: Int { get }

    /// Whether a cancel brings back what was before; a change of power cannot be taken back.
    static var isUndone: Bool { get }

    /// Does the work, step by step.
    func run(_ request: Request, _ journal: Journal) async throws -> Outcome
    /// What of the inventory goes once everything is undone: rows that were reserved when it was accepted.
    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws
}

extension OperationKind {
    static var version: Int { 1 }
    static var isUndone: Bool { true }
    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {}

    /// Runs it on a request in its stored form.
    func run(stored: String, _ journal: Journal) async throws -> Outcome {
        try await run(try JSON.value(Request.self, stored), journal)
    }

    func rolledBack(stored: String, _ transaction: Transaction, _ operation: ObjectID) throws {
        try rolledBack(try JSON.value(Request.self, stored), transaction, operation)
    }
}

/// How an operation ended well: the object that came of it, and what of the inventory changes in the same
/// commit that calls it succeeded.
struct Outcome: Sendable {
    var result: ObjectReference?
    var apply: @Sendable (Transaction) throws -> Void

    init(_ result: ObjectReference?, apply: @escaping @Sendable (Transaction) throws -> Void = { _ in }) {
        self.result = result
        self.apply = apply
    }
}

/// A request that is about to be accepted.
struct NewOperation: Sendable {
    let id: ObjectID
    let kind: String
    let version: Int
    let request: String
    let resources: [ObjectReference]
    let claims: [Claim]
    let parent: ObjectID?
    let requestor: Operation.Requestor

    init<Kind: OperationKind>(
        _ kind: Kind.Type, _ request: Kind.Request, id: ObjectID = ObjectID(), resources: [ObjectReference],
        claims: [Claim], parent: ObjectID? = nil, requestor: Operation.Requestor
    ) throws {
        self.id = id
        self.kind = kind.name
        self.version = kind.version
        self.request = try JSON.text(request)
        self.resources = resources
        self.claims = claims
        self.parent = parent
        self.requestor = requestor
    }
}
