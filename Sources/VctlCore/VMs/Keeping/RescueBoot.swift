// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI
import VirtXML

/// A disk or CD-ROM from which a VM is booted once, before its own disks, which stay attached.
///
/// The VM runs by a definition of its own that libvirt forgets when it stops; the saved one is never touched.
/// So nothing has to be brought back, whoever stops it, and whatever becomes of the daemon.
struct RescueBoot: Codable, Hashable, Sendable {
    /// What tells, in the definition of what runs, that this is a rescue.
    static let namespace = "urn:vctl:rescue:1"

    /// The ISO's path, or the image's name.
    var what: String
    var disk: DomainPlan.Disk
    /// What is written is thrown away with this file; an ISO needs none.
    var volume: NewVolume?

    /// What runs in place of the saved definition.
    func definition(of saved: DomainXML) -> DomainXML {
        var domain = saved
        for path in ["os/kernel", "os/initrd", "os/cmdline", "os/boot"] { domain.element.remove(Path(path)) }
        for device in ["disk", "interface", "hostdev", "redirdev"] {
            domain.element.edit(Path("devices/\(device)/boot")) { boot in
                guard let order = boot[attribute: "order"].flatMap({ Int($0) }) else { return }
                boot[attribute: "order"] = "\(order + 1)"
            }
        }
        domain.disks.append(disk.xml)
        domain.setMetadata(
            Element("rescue", ["from": what]), namespace: Self.namespace, prefix: "rescue")
        return domain
    }

    /// What a running definition was booted from; `nil`: from its own disks.
    static func source(of active: DomainXML) -> String? {
        active.metadata(namespace: namespace)?[attribute: "from"]
    }
}

extension StateDirectory {
    /// What a VM writes on the image that it is rescued with.
    func rescueDisk(_ vm: ObjectID) -> String { "\(volumes)/rescue-\(vm).qcow2" }
}

extension DomainEffects {
    /// - Throws: ``Problem`` `vm.state` when somebody else has started it, by its saved definition.
    func start(_ id: ObjectID, rescue: RescueBoot, paused: Bool) async throws {
        guard let domain = try await ours(id) else {
            _ = try await existing(id)
            return
        }
        if try await !domain.isActive() {
            let saved = try DomainXML(parsing: try await domain.xml([.inactive, .secure]))
            let connection = try environment.hypervisor.managed.connection()
            try await guardNICs(of: domain)
            do {
                _ = try await connection.create(
                    domain: rescue.definition(of: saved).xml, paused ? .paused : [])
                return
            } catch let error as LibvirtError where error.code == .operationInvalid {
                // Somebody else was faster, or it is there from before a crash.
                guard try await domain.isActive() else { throw error }
            }
        }
        guard RescueBoot.source(of: try DomainXML(parsing: try await domain.xml())) != nil else {
            throw Problem(
                .vmState, "VM \(shown(domain.name)) was started from its own disks meanwhile",
                hint: "vctl vm stop \(shown(domain.name))")
        }
    }
}

extension VMService {
    /// What a start asks for to boot from; `nil`: the VM's own disks.
    /// - Throws: ``Problem``: what is wrong with it, or with the VM for it.
    func rescue(_ start: VMStart, _ reference: Reference, _ context: RequestContext) async throws
        -> RescueBoot?
    {
        guard start.rescueISO != nil || start.rescueImage != nil else { return nil }
        guard start.rescueISO == nil || start.rescueImage == nil else {
            throw Problem(
                .requestInvalid, "rescueISO and rescueImage are both given",
                errors: [FieldProblem("rescueImage", "give one of them")])
        }
        let (row, vm) = try await managed(reference, context)
        guard vm.state == .stopped || vm.state == .suspended && start.discardState == true else {
            throw Problem(
                .vmState, "VM \(row.name) is \(vm.state.rawValue); a rescue begins with a VM that is stopped",
                hint: vm.state == .suspended
                    ? "add --discard-state to throw its saved memory away" : "vctl vm stop \(row.name)")
        }
        var targets = Minting.Targets(used: vm.disks.map(\.target))
        guard let image = start.rescueImage else {
            let path = try HostPaths(allowed: environment.allowedPaths).resolve(
                start.rescueISO ?? "", field: "rescueISO", caller: context.caller)
            return RescueBoot(
                what: path,
                disk: .cdrom(path: path, target: targets.next(.sata), serial: "rescue", bootOrder: 1))
        }
        let found = try await inventory.read { try UsableImage.find($0, image) }
        return rescue(found, row.id, target: targets.next(.virtio))
    }

    private func rescue(_ image: UsableImage, _ vm: ObjectID, target: String) -> RescueBoot {
        let path = environment.state.rescueDisk(vm)
        var volume = NewVolume(
            id: ObjectID(), path: path, format: .qcow2, sizeBytes: image.sizeBytes, preallocation: .off)
        volume.source = .init(path: image.path, format: image.format, linked: true)
        let disk = DomainPlan.Disk(
            role: .data, path: path, format: .qcow2, bus: .virtio, target: target, serial: "rescue",
            bootOrder: 1)
        return RescueBoot(what: image.name, disk: disk, volume: volume)
    }
}

/// The files that rescues write to. They go once the VM is off, whoever has stopped it.
struct RescueFiles: Sendable {
    let inventory: Inventory
    let state: StateDirectory

    /// Removes the files of VMs that are off, and those of VMs that are not there. An operation that is about
    /// to start one holds its VM.
    func tidy() async throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: state.volumes)) ?? []
        for name in names where name.hasPrefix("rescue-") {
            guard let id = ObjectID(String(name.dropFirst(7).prefix(36))) else { continue }
            let path = "\(state.volumes)/\(name)"
            // A VM's own disk may begin like that.
            guard [state.rescueDisk(id), state.rescueDisk(id) + ".partial"].contains(path) else { continue }
            try await inventory.write { transaction in
                if let row = try VMStore.find(transaction.db, .id(id)) {
                    let vm = try row.value()
                    guard row.operation == nil, vm.state == .stopped || vm.state == .missing else { return }
                }
                try DurableFile.remove(path)
            }
        }
    }
}
