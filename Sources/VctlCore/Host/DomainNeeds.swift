// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// The files of the host that a domain names, in what runs and in what is saved.
struct DomainNeeds: Sendable {
    let record: DomainRecord
    private(set) var disks: [DiskXML] = []
    /// What is no disk: the kernel, the firmware and its variables, memory that is a file.
    private(set) var others: [String] = []

    /// - Throws: ``Problem`` `vm.state` where a definition cannot be read: then nobody knows.
    init(_ record: DomainRecord) throws {
        self.record = record
        for xml in [record.activeXML, record.inactiveXML].compactMap(\.self) {
            let domain = try Self.parsed(xml, record.name)
            disks += domain.disks
            others += Self.filesBesidesDisks(domain)
        }
    }

    static func parsed(_ xml: String, _ name: String) throws -> DomainXML {
        do { return try DomainXML(parsing: xml) } catch {
            throw Problem(
                .vmState,
                "the definition of VM \(shown(name)) cannot be read: nobody knows which files it needs",
                hint: "virsh dumpxml \(shown(name))")
        }
    }

    private static func filesBesidesDisks(_ domain: DomainXML) -> [String] {
        let tree = domain.element.first("os/dtb")?.text
        let named: [String?] = [
            domain.osKernel, domain.osInitrd, domain.osLoader, domain.osNvram, domain.osNvramTemplate, tree,
        ]
        let memory = domain.memoryDevices.map { $0.sourcePath }
        return (named + memory).compactMap { $0 }.filter { $0.isAbsolute }
    }

    /// What a disk names, and what its definition and the files themselves say that it reads from.
    /// - Parameter path: where the disk is.
    /// - Throws: ``Problem`` `pool.state` where a file cannot be read.
    static func behind(_ disk: DiskXML, _ path: String) throws(Problem) -> [String] {
        // libvirt takes a disk without a format for raw.
        try BackingChain.files(behind: path, format: disk.driverType ?? "raw")
            + disk.chain.compactMap { $0.sourceFile ?? $0.sourceDev }
    }
}

/// Where the volumes are that domains name by pool and volume, as libvirt finds them.
struct PoolDisks: Sendable {
    private var paths: [VolumeName: String] = [:]

    /// What is known already.
    init() {}

    /// - Throws: `LibvirtError`; ``Problem`` `pool.state` where libvirt does not answer.
    init(_ needs: [DomainNeeds], _ hypervisor: Hypervisor) async throws {
        let names = Set(needs.flatMap(\.disks).compactMap(VolumeName.init(of:)))
        guard !names.isEmpty else { return }
        let connection = try await hypervisor.poolConnection()
        for name in names {
            let path = try await InTime.run(.seconds(10)) { try await Self.path(name, connection) }
            guard let path else { throw Self.unanswered(name) }
            paths[name] = path
        }
    }

    private static func unanswered(_ name: VolumeName) -> Problem {
        Problem(
            .poolState,
            "libvirt does not say where volume \(shown(name.full)) is, as if it waited for a server",
            hint: "virsh pool-info \(shown(name.pool))")
    }

    /// Where a disk is; `nil`: nowhere on this host, or in no pool that there is.
    func path(of disk: DiskXML) -> String? {
        disk.sourcePath ?? VolumeName(of: disk).flatMap { paths[$0] }
    }

    private static func path(_ name: VolumeName, _ connection: Connection) async throws -> String? {
        do {
            let pool = try await connection.storagePool(name: name.pool)
            do { return try await pool.volume(name: name.name).path() } catch let error as LibvirtError
                where error.code == .noStorageVol || error.code == .operationInvalid
            {
                // Of a pool that is stopped, or was not looked at: where it will be.
                return try PoolXML(parsing: try await pool.xml()).targetPath.map { "\($0)/\(name.name)" }
            }
        } catch let error as LibvirtError where error.code == .noStoragePool {
            return nil
        }
    }
}

extension VolumeName {
    /// What a disk of `type='volume'` names.
    init?(of disk: DiskXML) {
        guard let pool = disk.sourcePool, let volume = disk.sourceVolume else { return nil }
        self.init(pool: pool, name: volume)
    }
}
