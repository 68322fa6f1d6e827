// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// Somebody who needs a file.
enum FileReader: Codable, Hashable, Sendable {
    /// A domain, by name: the file is one of its disks, or behind one.
    case domain(String)
    /// Another image, by path, that no domain has: it reads from the file.
    case file(String)

    var description: String {
        switch self {
        case .domain(let name): "VM \(shown(name))"
        case .file(let path): shown(path, limit: 300)
        }
    }

    /// What shows the reader to a person.
    var hint: String {
        switch self {
        case .domain(let name): "virsh domblklist \(shown(name))"
        case .file(let path): "qemu-img info \(shown(path, limit: 300))"
        }
    }
}

/// Finds out who would lose data if files were removed. The inventory is not asked but libvirt and the files
/// themselves, for what others did to them is not in the inventory.
struct FileReaders: Sendable {
    /// What all domains read from, as libvirt and the files have it now.
    let domains: @Sendable () async throws -> DomainFiles
    /// Folders in which images may lie that no domain has.
    let folders: @Sendable () async throws -> [String]

    /// The first who needs one of the files, besides the domain `except` and the files themselves.
    /// - Parameter looseFiles: whether files that no domain has count, too.
    /// - Throws: ``Problem`` `libvirt.unavailable`: without libvirt nobody knows.
    func first(of paths: [String], except: ObjectID? = nil, looseFiles: Bool = true) async throws
        -> FileReader?
    {
        guard !paths.isEmpty else { return nil }
        let known = try await domains()
        let targets = Set(paths.map(RealPath.of))
        if let name = known.reader(of: targets, except: except) { return .domain(name) }
        guard looseFiles else { return nil }
        let near = targets.map { ($0 as NSString).deletingLastPathComponent }
        let folders = Set(try await folders() + near).sorted()
        return try await Blocking.run { Self.file(in: folders, needing: targets, besides: known.raw) }
    }

    /// - Parameter raw: disks whose first bytes are a guest's, and say nothing.
    private static func file(
        in folders: [String], needing targets: Set<String>, besides raw: Set<String>
    ) -> FileReader? {
        for folder in folders {
            for name in ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted() {
                let path = "\(folder)/\(name)"
                let real = RealPath.of(path)
                guard !targets.contains(real), !raw.contains(real) else { continue }
                if BackingChain.files(behind: path).contains(where: { targets.contains(RealPath.of($0)) }) {
                    return .file(path)
                }
            }
        }
        return nil
    }
}

/// Which files the disks of all domains are, and read from.
struct DomainFiles: Sendable {
    private var users: [String: [(id: ObjectID, name: String)]] = [:]
    /// Disks that QEMU opens as raw.
    private(set) var raw: Set<String> = []

    init(_ records: [DomainRecord]) {
        for record in records {
            var files: Set<String> = []
            for xml in [record.activeXML, record.inactiveXML] { files.formUnion(xml.map { disks($0) } ?? []) }
            for file in files { users[file, default: []].append((ObjectID(record.uuid), record.name)) }
        }
    }

    /// The name of a domain that needs one of the files.
    func reader(of files: Set<String>, except: ObjectID?) -> String? {
        for file in files.sorted() {
            if let user = users[file]?.first(where: { $0.id != except }) { return user.name }
        }
        return nil
    }

    private mutating func disks(_ xml: String) -> [String] {
        guard xml.contains("<disk ") || xml.contains("<nvram"), let domain = try? DomainXML(parsing: xml)
        else { return [] }
        let variables = [domain.osNvram].compactMap(\.self).map(RealPath.of)
        return variables
            + domain.disks.flatMap { disk -> [String] in
                guard let path = disk.sourcePath else { return [] }
                // libvirt takes a disk without a format for raw.
                let format = disk.driverType ?? "raw"
                if format != "qcow2" { raw.insert(RealPath.of(path)) }
                return ([path] + BackingChain.files(behind: path, format: format)).map(RealPath.of)
            }
    }
}

extension FileReaders {
    /// The domains of a libvirt, and the folders of its pools and of this daemon.
    init(_ hypervisor: Hypervisor, _ state: StateDirectory) {
        let shared = SharedReading {
            let records = try await hypervisor.connection().domainRecords()
            return try await Blocking.run { DomainFiles(records) }
        }
        domains = { try await shared.value() }
        folders = {
            let pools = try await hypervisor.connection().storagePoolRecords().filter(\.isActive)
            return [state.volumes] + pools.compactMap { Self.folder(ofPool: $0.xml) }
        }
    }

    /// What is known already.
    init(domains: [DomainRecord], folders: [String]) {
        let files = DomainFiles(domains)
        self.domains = { files }
        self.folders = { folders }
    }

    private static func folder(ofPool xml: String) -> String? {
        guard let pool = try? PoolXML(parsing: xml), ["dir", "fs", "netfs"].contains(pool.type ?? "") else {
            return nil
        }
        return pool.targetPath
    }
}
