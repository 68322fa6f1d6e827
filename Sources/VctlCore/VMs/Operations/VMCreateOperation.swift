// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI

/// Makes a VM: its disks, its seed, its domain, and starts it.
struct VMCreateOperation: OperationKind {
    static let name = "vm.create"

    /// Everything decided and minted before it was accepted.
    struct Request: Codable, Sendable {
        var plan: DomainPlan
        var volumes: [NewVolume]
        var pool: NewPool?
        var hasSeed: Bool
        var start: Bool
        var autostart: Bool
        var warnings: [String]
        /// Addresses that DHCP keeps for it; `nil`, as in older journals: none.
        var keeps: [AddressKeeping.Kept]?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        request.warnings.forEach { journal.warn($0) }
        let storage = VolumeMaker(environment: environment)
        if let pool = request.pool {
            try await journal.step("pool") { try await storage.ensure(pool) }
        }
        for (index, volume) in request.volumes.enumerated() {
            try await journal.step("disk:\(index)", undo: { try storage.remove(volume) }) {
                try await storage.make(volume) { journal.progress($0) }
            }
        }
        try await makeSeed(request, journal)
        try await define(request, journal)
        for (index, kept) in (request.keeps ?? []).enumerated() {
            try await journal.keep(kept, "keep:\(index)", environment)
        }
        if request.start {
            try await DomainEffects(environment: environment).startNew(request.plan.id, journal)
        }
        try await journal.step("observe") { try await environment.observe(request.plan.id) }
        return Outcome(request.reference)
    }

    private func makeSeed(_ request: Request, _ journal: Journal) async throws {
        guard request.hasSeed else { return }
        let seeds = SeedFiles(environment.state)
        let id = request.plan.id
        try await journal.step("seed", undo: { try seeds.remove(id) }) { try await seeds.build(id) }
    }

    private func define(_ request: Request, _ journal: Journal) async throws {
        let domains = DomainEffects(environment: environment)
        let plan = request.plan
        let autostart = request.autostart
        try await journal.step("define", undo: { try await domains.undefine(plan.id) }) {
            try await domains.define(plan, autostart: autostart)
        }
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try Self.forget(request.plan.id, environment, transaction)
    }

    /// What is left of a VM that did not come to be: the texts of its seed, which were kept before the first
    /// step could name an undo, what it has said, and its row.
    static func forget(_ id: ObjectID, _ environment: VMEnvironment, _ transaction: Transaction) throws {
        try SeedFiles(environment.state).remove(id)
        let variables = environment.state.allVariables(id)
        for path in OwnFiles.consoleLogs(of: id, environment.state) + variables {
            try DurableFile.remove(path)
        }
        try transaction.removeVM(id, origin: .vctl)
    }
}

extension VMCreateOperation.Request {
    var reference: ObjectReference { ObjectReference(kind: .vm, id: plan.id, name: plan.name) }
}
