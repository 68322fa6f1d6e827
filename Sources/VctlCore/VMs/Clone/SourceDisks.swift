// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// The disks of a VM that are to be copied.
struct SourceDisks: Sendable {
    let name: String
    let domain: Domain

    /// What is copied of a disk.
    struct Content: Sendable {
        var path: String
        var format: DiskFormat
        /// The guest's size in bytes.
        var sizeBytes: Int64
    }

    /// - Throws: ``Problem`` where it is neither a file nor a block device, or in a format that we do not
    /// copy.
    func content(of disk: DiskXML) async throws -> Content {
        let target = disk.targetDev ?? "?"
        if let device = disk.device, device != "disk" {
            throw refused(
                "\(shown(target)) of VM \(shown(name)) is a \(shown(device)), which the guest commands by"
                    + " itself; disks can be copied")
        }
        guard ["file", "block"].contains(disk.type ?? "file"), let path = disk.sourcePath else {
            throw refused(
                "\(shown(target)) of VM \(shown(name)) is of type \(shown(disk.type ?? "?")); files and block"
                    + " devices can be copied")
        }
        let text = disk.driverType ?? "raw"
        guard let format = DiskFormat(rawValue: text), format == .qcow2 || format == .raw else {
            throw refused(
                "\(shown(target)) of VM \(shown(name)) is \(shown(text)); qcow2 and raw can be copied")
        }
        return Content(path: path, format: format, sizeBytes: try await size(target, path, format))
    }

    /// - Throws: ``Problem`` where the guest runs with other disks than the saved definition has: QEMU would
    ///   copy the ones, while the plan speaks of the others.
    /// - Parameter target: the only disk that counts; `nil`: all.
    func refusePending(_ saved: DomainXML, only target: String? = nil) async throws {
        let active = Self.sources(try DomainXML(parsing: try await domain.xml(.secure)))
        let next = Self.sources(saved)
        let targets = Set(active.keys).union(next.keys).filter { target == nil || target == $0 }
        let changed = targets.filter { active[$0] != next[$0] }.sorted()
        guard !changed.isEmpty else { return }
        throw Problem(
            .vmState,
            "VM \(shown(name)) runs with other disks than it will after its next start:"
                + " \(shown(changed.joined(separator: ", ")))",
            hint: "vctl vm restart \(shown(name)), and try again")
    }

    private static func sources(_ domain: DomainXML) -> [String: [String?]] {
        let pairs = domain.disks.filter(ClonePlan.isOwn).map { disk in
            (
                disk.targetDev ?? "?",
                [disk.type, disk.driverType, disk.sourcePath, disk.sourcePool, disk.sourceVolume]
            )
        }
        return Dictionary(pairs) { first, _ in first }
    }

    private func refused(_ detail: String) -> Problem {
        Problem(.vmState, detail, hint: "vctl vm disk list \(shown(name))")
    }

    /// Of a running guest's disk by QEMU, which has the file locked.
    private func size(_ target: String, _ path: String, _ format: DiskFormat) async throws -> Int64 {
        if try await domain.isActive() {
            return Int64(clamping: try await domain.blockInfo(target).capacity)
        }
        return try await QemuImg.info(.init(path: path, format: format)).virtualSizeBytes
    }

    /// What the copies will take; holes take no room.
    static func requireRoom(for volumes: [NewVolume]) throws {
        var needed: [String: Int64] = [:]
        for volume in volumes {
            guard let from = volume.source else { continue }
            let behind =
                from.backing == nil
                ? try BackingChain.files(behind: from.path, format: from.format.rawValue) : []
            let bytes = ([from.path] + behind).compactMap { FileStamp(path: $0)?.allocated }.reduce(0, +)
            needed[(volume.path as NSString).deletingLastPathComponent, default: 0] += bytes
        }
        for (folder, bytes) in needed {
            try FreeSpace.require(bytes, at: folder + "/disk", for: "the copy")
        }
    }
}
