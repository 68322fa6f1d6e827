// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// What operations do to domains. Each looks first, so that it may run twice, and touches only what bears our
/// mark.
struct DomainEffects: Sendable {
    let environment: VMEnvironment

    /// Our domain of that id, or `nil`.
    /// - Throws: ``Problem`` `vm.foreign` when the domain of that id is not ours.
    func ours(_ id: ObjectID) async throws -> Domain? { try await owned(id)?.domain }

    private func owned(_ id: ObjectID) async throws -> (domain: Domain, mark: Mark)? {
        guard let domain = try await environment.hypervisor.domain(id) else { return nil }
        let mark = try await Self.keptMetadata(domain).flatMap { Mark(metadata: $0) }
        guard let mark = Ownership(mark, instance: environment.state.instance, id: id).mark else {
            throw Problem(
                .vmForeign, "the domain \(id) does not bear this vctl's mark", hint: "virsh dominfo \(id)")
        }
        return (domain, mark)
    }

    /// A transient domain has no kept definition, so it cannot be one that we defined.
    static func keptMetadata(_ domain: Domain) async throws -> String? {
        do {
            return try await domain.metadata(uri: Mark.namespace, .config)
        } catch let error as LibvirtError where error.code == .operationInvalid {
            return nil
        }
    }

    /// What runs and what is saved, so that `virsh dumpxml` shows the same in both.
    func affect(_ domain: Domain) async throws -> Domain.Affect {
        try await domain.isActive() ? [.config, .live] : .config
    }

    /// Changes our mark in both.
    func changeMark(of domain: Domain, _ change: (inout Mark) -> Void) async throws {
        guard let text = try await domain.metadata(uri: Mark.namespace, .config),
            var mark = Mark(metadata: text)
        else { return }
        let before = mark
        change(&mark)
        guard mark != before else { return }
        try await domain.setMetadata(
            mark.metadataText, uri: Mark.namespace, key: Mark.prefix, try await affect(domain))
    }

    /// The domain, whoever made it; for verbs that change only its power.
    func existing(_ id: ObjectID) async throws -> Domain {
        guard let domain = try await environment.hypervisor.domain(id) else {
            throw Problem(
                .vmMissing, "libvirt has no domain \(id) any more",
                hint: "vctl vm delete \(id)")
        }
        return domain
    }

    func define(_ plan: DomainPlan, autostart: Bool) async throws {
        let connection = try environment.hypervisor.managed.connection()
        let domain: Domain
        if let known = try await ours(plan.id) {
            domain = known
        } else {
            domain = try await connection.define(domain: plan.domainXML().xml)
        }
        if autostart { try await domain.setAutostart(true) }
    }

    func undefine(_ id: ObjectID) async throws {
        guard let (domain, mark) = try await owned(id) else { return }
        if try await domain.isActive() { try await destroy(id) }
        let variables: Domain.UndefineFlags = mark.hasForeignFiles ? [.keepNVRAM, .keepTPM] : .nvram
        do {
            try await domain.undefine([.managedSave, .snapshotsMetadata, .checkpointsMetadata, variables])
        } catch let error as LibvirtError where error.code == .noDomain {
        } catch let error as LibvirtError where error.meansUnsupportedFlags {
            try await domain.undefine()
        }
    }

    func start(_ id: ObjectID, paused: Bool) async throws {
        let domain = try await existing(id)
        if try await domain.isActive() { return try await finishStart(domain) }
        try await guardNICs(of: domain)
        do {
            try await domain.start(paused ? .paused : [])
        } catch let error as LibvirtError where error.code == .operationInvalid {
            // Somebody else was faster, or it is there from before a crash.
            guard try await domain.isActive() else { throw error }
            try await finishStart(domain)
        }
    }

    /// The step of an operation that starts a new VM; undone, it is off again.
    func startNew(_ id: ObjectID, _ journal: Journal) async throws {
        try await journal.step("start", undo: { try await destroy(id) }) {
            try await start(id, paused: false)
        }
    }

    /// Waits for a start that somebody else has begun: a daemon that died, for one.
    private func finishStart(_ domain: Domain) async throws {
        while try await domain.status().isStartingUp { try await Task.sleep(for: .milliseconds(100)) }
    }

    /// Powers it off; that it is off, or gone, is as good.
    func destroy(_ id: ObjectID) async throws {
        guard let domain = try await environment.hypervisor.domain(id), try await domain.isActive() else {
            return
        }
        do {
            try await domain.destroy()
        } catch let error as LibvirtError where error.code == .operationInvalid || error.code == .noDomain {
            if try await environment.hypervisor.domain(id)?.isActive() ?? false { throw error }
        }
    }
}

extension LibvirtError {
    /// A driver that knows fewer flags than asked for.
    var meansUnsupportedFlags: Bool {
        code == .invalidArg || code == .noSupport || code == .operationUnsupported
            || code == .argumentUnsupported
    }
}
