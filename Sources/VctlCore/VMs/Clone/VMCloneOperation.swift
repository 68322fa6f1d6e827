// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// Makes a VM from another one: copies its disks, gives it a seed and variables of its own, and defines it.
struct VMCloneOperation: OperationKind {
    static let name = "vm.clone"

    /// Everything decided and minted before it was accepted.
    struct Request: Codable, Sendable {
        var plan: ClonePlan
        var pool: NewPool?
        /// Whether the other one ran when it was accepted.
        var live: Bool
        var start: Bool
        var autostart: Bool
        var warnings: [String]
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        request.warnings.forEach { journal.warn($0) }
        let plan = request.plan
        let storage = VolumeMaker(environment: environment)
        if let pool = request.pool { try await journal.step("pool") { try await storage.ensure(pool) } }
        let copies = DiskCopies(
            environment: environment, source: plan.source, disks: plan.disks, live: request.live)
        try await copies.run(journal)
        try await copyVariables(plan, journal)
        try await makeSeed(plan, journal)
        try await define(request, journal)
        if request.start {
            try await DomainEffects(environment: environment).startNew(plan.id, journal)
        }
        try await journal.step("observe") { try await environment.observe(plan.id) }
        return Outcome(plan.reference)
    }

    private func copyVariables(_ plan: ClonePlan, _ journal: Journal) async throws {
        guard let nvram = plan.nvram else { return }
        try await journal.step("nvram", undo: { try DurableFile.remove(nvram.to) }) {
            guard !FileManager.default.fileExists(atPath: nvram.to) else { return }
            try await ImageTools.copy(nvram.from, to: nvram.to + ".partial")
            try DurableFile.rename(nvram.to + ".partial", to: nvram.to)
        }
    }

    private func makeSeed(_ plan: ClonePlan, _ journal: Journal) async throws {
        guard plan.seed != nil else { return }
        let seeds = SeedFiles(environment.state)
        try await journal.step("seed", undo: { try seeds.remove(plan.id) }) { try await seeds.build(plan.id) }
    }

    private func define(_ request: Request, _ journal: Journal) async throws {
        let domains = DomainEffects(environment: environment)
        let plan = request.plan
        try await journal.step("define", undo: { try await domains.undefine(plan.id) }) {
            try await domains.define(plan, autostart: request.autostart)
        }
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try VMCreateOperation.forget(request.plan.id, environment, transaction)
    }
}

extension DomainEffects {
    func define(_ plan: ClonePlan, autostart: Bool) async throws {
        var domain = try await ours(plan.id)
        if domain == nil {
            let source = try DomainXML(parsing: try await existing(plan.source.id).xml([.inactive, .secure]))
            let xml = try plan.definition(from: source).xml
            domain = try await environment.hypervisor.managed.connection().define(domain: xml)
        }
        if autostart { try await domain?.setAutostart(true) }
    }
}

extension VolumeMaker {
    /// Makes the file that a mirror writes into: of the disk's size, and over the same image where that stays
    /// shared. No mirror begins before this is done, so what a daemon that died has left is made anew.
    func prepare(_ volume: NewVolume) async throws {
        try DurableFile.remove(volume.partial)
        try await Self.claimed(volume.partial) {
            try await QemuImg.create(
                path: volume.partial, format: volume.format, sizeBytes: volume.sizeBytes,
                backing: volume.source?.backing)
        }
    }

    /// Gives a file that is whole now its name.
    func publish(_ volume: NewVolume) throws {
        guard FileManager.default.fileExists(atPath: volume.partial) else { return }
        try place(volume)
    }
}
