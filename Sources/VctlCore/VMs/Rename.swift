// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

extension VMService {
    /// Renames what is off, and notes for what runs that it is to be renamed.
    func rename(_ id: ObjectID, to name: String, _ change: ((inout Mark) -> Void) async throws -> Void)
        async throws
    {
        let domain = try await DomainEffects(environment: environment).existing(id)
        guard try await !domain.isActive() else { return try await change { $0.newName = name } }
        try await change { $0.newName = nil }
        try await DomainEffects(environment: environment).rename(domain, to: name)
    }

    /// - Throws: ``Problem`` `vm.exists`, `vm.state`.
    func refuseRename(_ vm: VM, to name: Name) async throws {
        let other = try await inventory.read { try VMStore.find($0, .name(name.rawValue)) }
        if let other, other.id != vm.id, try other.value().state != .missing { throw Self.taken(name) }
        guard vm.state != .suspended else {
            throw Problem(
                .vmState, "VM \(shown(vm.name)) is suspended, and its saved memory knows the old name",
                hint: "vctl vm start \(shown(vm.name)), or vctl vm start --discard-state")
        }
    }
}

extension DomainEffects {
    /// Whether it is to get another name when it is off.
    fileprivate func renameWaits(_ id: ObjectID) async throws -> Bool {
        guard let domain = try await environment.hypervisor.domain(id) else { return false }
        return try await Self.keptMetadata(domain).flatMap { Mark(metadata: $0) }?.newName != nil
    }

    /// Gives a VM that is off the name that it was to get.
    func finishRename(_ id: ObjectID) async throws {
        guard let domain = try await environment.hypervisor.domain(id), try await !domain.isActive(),
            let text = try await Self.keptMetadata(domain), var mark = Mark(metadata: text),
            Ownership(mark, instance: environment.state.instance, id: id).mark != nil, let name = mark.newName
        else { return }
        var refusal: LibvirtError?
        do {
            if domain.name != name { try await rename(domain, to: name) }
        } catch let error as LibvirtError where !error.isOfTransport {
            refusal = error
        }
        // Only then: what was not tried yet is not forgotten.
        mark.newName = nil
        try await domain.setMetadata(mark.metadataText, uri: Mark.namespace, key: Mark.prefix, .config)
        if let refusal { throw refusal }
    }

    /// Variables of a UEFI whose file libvirt names after the VM are held fast first: libvirt would look for
    /// others under the new name.
    func rename(_ domain: Domain, to name: String) async throws {
        var saved = try DomainXML(parsing: try await domain.xml([.inactive, .secure]))
        if saved.osNvram == nil, let path = FirmwareVariables.path(saved),
            FileManager.default.fileExists(atPath: path)
        {
            saved.osNvram = path
            _ = try await environment.hypervisor.managed.connection().define(domain: saved.xml)
        }
        try await domain.rename(to: name)
    }
}

extension VMEnvironment {
    /// Gives VMs that have stopped the names that they were to get; one that libvirt refuses is told of in a
    /// warning, and keeps its name.
    func finishRename(_ id: ObjectID) async {
        do {
            let domains = DomainEffects(environment: self)
            guard try await domains.renameWaits(id) else { return }
            try await turns.alone(id) { try await domains.finishRename(id) }
            try await observe(id)
        } catch {
            let reason = Problem(describing: error).detail
            _ = try? await inventory.write { transaction in
                guard let row = try VMStore.find(transaction.db, .id(id)) else { return }
                try transaction.warn(
                    "vm.rename", "VM \(row.name) keeps its name: \(reason)", subject: row.reference)
            }
        }
    }
}

/// The file of the variables of a UEFI.
enum FirmwareVariables {
    /// Where libvirt's system daemon puts them under the domain's name, unless the definition says it.
    private static let standard = "/var/lib/libvirt/qemu/nvram"

    /// The file of a saved definition; `nil` for a BIOS.
    static func path(_ saved: DomainXML) -> String? {
        guard saved.firmware != .bios, let name = saved.name else { return nil }
        if let path = saved.element.first("os/nvram/source")?[attribute: "file"] { return path }
        if let path = saved.osNvram, !path.isEmpty { return path }
        return "\(standard)/\(name)_VARS.fd"
    }
}
