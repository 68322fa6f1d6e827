// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// The files and devices of the host that a guest writes to, and nobody else may: two guests that write to
/// one disk destroy it.
struct WrittenFiles: Sendable {
    let environment: VMEnvironment

    /// By a definition: of its disks, those in pools too, and the variables of its firmware.
    /// - Throws: `LibvirtError`; a volume that there is not yet is nobody's.
    func of(_ domain: DomainXML) async throws -> Set<String> {
        var files = Set([domain.osNvram].compactMap(\.self))
        for disk in domain.disks where !disk.readonly && !disk.shareable && disk.device != "cdrom" {
            if disk.type == "volume" {
                if let path = try await volume(disk) { files.insert(path) }
            } else if let path = disk.sourcePath {
                files.insert(path)
            }
        }
        return Set(files.map(RealPath.of))
    }

    private func volume(_ disk: DiskXML) async throws -> String? {
        guard let pool = disk.sourcePool, let volume = disk.sourceVolume else { return nil }
        let connection = try await environment.hypervisor.poolConnection()
        do {
            return try await connection.storagePool(name: pool).volume(name: volume).path()
        } catch let error as LibvirtError where error.code == .noStoragePool || error.code == .noStorageVol {
            return nil
        }
    }

    /// - Parameter except: the VM whose files they are.
    /// - Throws: ``Problem`` `volume.inUse` when somebody else has one of them.
    func refuseUsed(_ files: some Collection<String>, except: ObjectID? = nil) async throws {
        guard !files.isEmpty else { return }
        let files = files.sorted()
        try await environment.inventory.read { db in
            for path in files { try DiskUsers.refuse(path, except: except, db) }
        }
        if let reader = try await environment.readers.first(of: files, except: except) {
            throw Problem(
                .volumeInUse, "a file in the XML is used by \(reader.description)", hint: reader.hint)
        }
        try await VolumeUsers(environment: environment).refuseLinked(files)
    }
}
