// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// Adds a disk to a VM, grows one, or takes one away.
struct VMDiskOperation: OperationKind {
    static let name = "vm.disk"

    struct Request: Codable, Sendable {
        var vm: ObjectReference
        var change: Change
    }

    enum Change: Codable, Sendable {
        case add(DomainPlan.Disk, volume: NewVolume?, pool: NewPool?)
        /// With the files that were made for it.
        case remove(target: String, files: [String], force: Bool)
        case resize(target: String, path: String, format: DiskFormat, bytes: Int64)
        /// A medium for a drive; `nil`: none.
        case medium(target: String, path: String?, force: Bool)
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let id = request.vm.id
        let devices = DeviceEffects(environment: environment, id: id)
        switch request.change {
        case .add(let disk, let volume, let pool): try await add(disk, volume, pool, id, devices, journal)
        case .remove(let target, let files, let force):
            try await remove(target, files, force, id, devices, journal)
        case .resize(let target, let path, let format, let bytes):
            try journal.pointOfNoReturn()
            try await journal.step("resize") { try await resize(id, target, path, format, bytes) }
        case .medium(let target, let path, let force):
            try await journal.step("medium") { try await insert(path, target, force: force, devices) }
        }
        try await journal.step("observe") { try await environment.observe(id) }
        return Outcome(request.vm)
    }

    private func add(
        _ disk: DomainPlan.Disk, _ volume: NewVolume?, _ pool: NewPool?, _ id: ObjectID,
        _ devices: DeviceEffects, _ journal: Journal
    ) async throws {
        let storage = VolumeMaker(environment: environment)
        if let pool { try await journal.step("pool") { try await storage.ensure(pool) } }
        if let volume {
            try await journal.step("disk", undo: { try storage.remove(volume) }) {
                try await storage.make(volume) { journal.progress($0) }
            }
        }
        let target = disk.target
        let device = disk.xml.element
        try await journal.step("attach", undo: { try await devices.detach(.disk(target), only: device) }) {
            try await devices.attach(.disk(target), device)
        }
        let known = Mark.Disk(target: target, role: disk.role.rawValue, volume: disk.volume)
        try await journal.step(
            "mark", undo: { try await note(id) { $0.disks.removeAll { $0.target == target } } }
        ) {
            try await note(id) { mark in
                mark.disks.removeAll { $0.target == target }
                mark.disks.append(known)
            }
        }
    }

    private func remove(
        _ target: String, _ files: [String], _ force: Bool, _ id: ObjectID, _ devices: DeviceEffects,
        _ journal: Journal
    ) async throws {
        try journal.pointOfNoReturn()
        try await journal.step("detach") { try await devices.detach(.disk(target)) }
        try await journal.step("mark") { try await note(id) { $0.disks.removeAll { $0.target == target } } }
        try await VMDeleteOperation.removeDisks(files, force: force, environment, journal)
    }

    private func note(_ id: ObjectID, _ change: (inout Mark) -> Void) async throws {
        let domains = DomainEffects(environment: environment)
        let domain = try await domains.existing(id)
        try await environment.turns.alone(id) { try await domains.changeMark(of: domain, change) }
    }

    private func resize(
        _ id: ObjectID, _ target: String, _ path: String, _ format: DiskFormat, _ bytes: Int64
    )
        async throws
    {
        let domain = try await DomainEffects(environment: environment).existing(id)
        if try await domain.isActive() {
            // Who has grown it further meanwhile keeps that.
            guard try await domain.blockInfo(target).capacity < UInt64(bytes) else { return }
            try await domain.resizeBlock(target, bytes: UInt64(bytes))
        } else {
            let now = try await QemuImg.info(.init(path: path, format: format)).virtualSizeBytes
            guard now < bytes else { return }
            try await QemuImg.resize(path: path, format: format, sizeBytes: bytes)
        }
    }

    private func insert(_ path: String?, _ target: String, force: Bool, _ devices: DeviceEffects) async throws
    {
        try await devices.update(.disk(target), force: force) { element in
            var drive = DiskXML(element: element)
            drive.element.remove(Path("source"))
            drive.element.remove(Path("backingStore"))
            drive.type = "file"
            if let path { drive.sourcePath = path }
            element = drive.element
        }
    }
}
