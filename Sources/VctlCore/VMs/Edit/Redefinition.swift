// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Logging
import VctlAPI
import VirtXML

/// A new definition of a domain, worked out and not yet given to libvirt.
struct Redefinition: Sendable {
    let id: ObjectID
    /// The definition with all it says, secrets too.
    private let xml: String
    /// What it was worked out from.
    private let before: String
    /// Whether somebody wrote it by hand, so that what libvirt says of it is about their words.
    private let isByHand: Bool
    private let changes: [String]
    /// What of it a running guest gets at once.
    private let live: [LiveChange]
    private let isRunning: Bool
    /// The difference to the present definition, without secrets.
    let diff: String

    /// What would be done, a sentence each.
    var sentences: [String] {
        guard isRunning, !changes.isEmpty else { return changes }
        let now = live.map(\.sentence)
        return changes
            + (now.isEmpty ? ["all of this at the next start"] : now + ["the rest at the next start"])
    }

    /// What a patch makes of a VM's definition; `nil` where it asks for nothing of the hardware.
    /// - Throws: ``Problem``.
    static func plan(
        _ patch: VMPatch, of id: ObjectID, _ caller: Caller, _ environment: VMEnvironment
    ) async throws -> Redefinition? {
        guard patch.changesDefinition else { return nil }
        let patch = try patch.resolved(for: caller, HostPaths(allowed: environment.allowedPaths))
        let connection = try environment.hypervisor.connection()
        do {
            let domain = try await DomainEffects(environment: environment).existing(id)
            try await HardwareCheck.check(patch, of: domain, connection)
            let state = environment.state
            let plan = try await Redefinition(patch, id, domain) { state.variables(id, $0) }
            if patch.isByHand { try await plan.checkFiles(of: domain, environment) }
            return plan
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    /// Files that come in must be nobody else's.
    private func checkFiles(of domain: Domain, _ environment: VMEnvironment) async throws {
        let written = WrittenFiles(environment: environment)
        let before = try await written.of(try DomainXML(parsing: try await domain.xml(.inactive)))
        let after = try await written.of(try DomainXML(parsing: xml))
        try await written.refuseUsed(after.subtracting(before), except: id)
    }

    private init(
        _ patch: VMPatch, _ id: ObjectID, _ domain: Domain, _ variables: @escaping (Firmware) -> String?
    ) async throws {
        let before = try await domain.xml([.inactive, .secure])
        let edit = try Self.edit(before, patch, variables)
        self.id = id
        self.before = before
        xml = edit.domain.xml
        changes = edit.changes
        isByHand = patch.isByHand
        diff = UnifiedDiff.text(
            try DomainXML(parsing: before).withoutPasswords().xml,
            edit.domain.withoutPasswords().xml)
        isRunning = try await domain.isActive()
        live =
            isRunning
            ? LiveChange.all(patch, edit.domain, on: try DomainXML(parsing: await domain.xml())) : []
    }

    private static func edit(
        _ text: String, _ patch: VMPatch, _ variables: @escaping (Firmware) -> String?
    ) throws -> DomainEdit {
        let before = try DomainXML(parsing: text)
        var edit = DomainEdit(before, variables: variables)
        if let xml = patch.xml { try edit.replace(with: xml) }
        try edit.apply(patch)
        if let patches = patch.xmlPatch { try edit.apply(patches) }
        if patch.isByHand { try edit.checkIdentity(against: before) }
        return edit
    }

    /// Defines it, and gives a running guest what it can have at once. What it does not take waits, and is
    /// shown as pending.
    func apply(_ environment: VMEnvironment) async throws {
        guard !changes.isEmpty else { return }
        let connection = try environment.hypervisor.connection()
        try await refuseOvertaken(try await DomainEffects(environment: environment).existing(id))
        try await define(connection)
        guard !live.isEmpty else { return }
        let domain = try await DomainEffects(environment: environment).existing(id)
        for change in live {
            do {
                try await change.apply(to: domain)
            } catch let error as LibvirtError where !error.isOfTransport {
                environment.logger.info(
                    "the guest does not take it now",
                    metadata: ["vm": "\(id)", "change": "\(change.sentence)", "error": "\(error.message)"])
            }
        }
    }

    /// libvirt cannot define on a condition; this leaves others no more than the moment between two calls.
    private func refuseOvertaken(_ domain: Domain) async throws {
        guard try await domain.xml([.inactive, .secure]) != before else { return }
        throw Problem(
            .revisionStale,
            "somebody else has changed the definition of VM \(shown(domain.name)) meanwhile, and so it stays",
            hint: "look at it and try again: vctl vm show \(shown(domain.name))")
    }

    private func define(_ connection: Connection) async throws {
        guard !isByHand else {
            _ = try await connection.define(byHand: xml)
            return
        }
        do {
            _ = try await connection.define(domain: xml)
        } catch let error as LibvirtError where error.code == .xmlInvalidSchema {
            // It did not fit the schema before either: our own changes do.
            _ = try await connection.define(domain: xml, [])
        }
    }
}

extension DomainXML {
    /// The same without what only a secure dump has.
    fileprivate func withoutPasswords() -> DomainXML {
        var copy = self
        for index in copy.graphics.indices where copy.graphics[index].password != nil {
            copy.graphics[index].password = Secret.redacted
        }
        return copy
    }
}

extension Connection {
    /// Defines a domain by what somebody wrote: what libvirt says of it is about their words.
    /// - Throws: ``Problem`` `request.invalid`; `LibvirtError` where libvirt is away.
    func define(byHand xml: String) async throws -> Domain {
        do {
            return try await define(domain: xml)
        } catch let error as LibvirtError where !error.isOfTransport {
            let words = error.message.split(whereSeparator: \.isNewline).joined(separator: "; ")
            throw Problem(
                .requestInvalid, "libvirt refuses the definition: \(shown(words, limit: 1000))",
                hint: "virsh capabilities and the reference of libvirt's domain XML say what it takes",
                libvirt: Problem(libvirt: error).libvirt)
        }
    }
}

extension VMPatch {
    /// Whether something was written in libvirt's own words.
    var isByHand: Bool { xml != nil || xmlPatch != nil }

    /// Whether it asks for something that is in the definition alone.
    var changesDefinition: Bool {
        let fields: [Any?] = [
            cpus, maxCpus, memoryBytes, maxMemoryBytes, firmware, tpm, graphics, machine, cpuModel, kernel,
            initrd, cmdline, xmlPatch, xml, onCrash,
        ]
        return fields.contains { $0 != nil }
    }

    /// The same with the real paths of the host's files that it names.
    /// - Throws: ``Problem`` `permission.denied` where only an admin may ask for that.
    func resolved(for caller: Caller, _ paths: HostPaths) throws -> VMPatch {
        if isByHand, caller.role != .admin {
            throw Problem(
                .permissionDenied, "\(xml != nil ? "xml" : "xmlPatch"): only an admin may write libvirt's XML"
            )
        }
        var patch = self
        for (field, path) in [("kernel", \VMPatch.kernel), ("initrd", \VMPatch.initrd)] {
            guard let name = patch[keyPath: path]?.orNil else { continue }
            patch[keyPath: path] = RemovableText(try paths.resolve(name, field: field, caller: caller))
        }
        return patch
    }
}
