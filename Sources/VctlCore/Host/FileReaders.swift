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
    /// Files that no domain has, and whose bytes are a guest's all the same.
    private let raw: @Sendable () async throws -> [String]
    private let looks: Looks

    /// The first who needs one of the files, besides the domain `except` and the files themselves.
    /// - Parameter looseFiles: whether files that no domain has count, too.
    /// - Throws: ``Problem`` `libvirt.unavailable`, `pool.state` where a file cannot be read: then nobody
    ///   knows.
    func first(of paths: [String], except: ObjectID? = nil, looseFiles: Bool = true) async throws
        -> FileReader?
    {
        guard !paths.isEmpty else { return nil }
        let known = try await domains()
        let (targets, name) = try await looks.ask(RealPath.folder(of: paths[0])) {
            let targets = paths.map(RealPath.of)
            return (targets, try known.reader(of: targets, except: except))
        }
        if let name { return .domain(name) }
        guard looseFiles else { return nil }
        let raw = known.raw.union(try await raw().map { ExactName($0) })
        let all = try await folders() + targets.map(RealPath.folder)
        for folder in Set(all.map { ExactName($0) }).sorted().map(\.text) {
            let found = try await looks.ask(folder) {
                try Self.file(in: folder, needing: SameFiles(targets), besides: raw)
            }
            if let found { return found }
        }
        return nil
    }

    /// - Parameter raw: disks whose first bytes are a guest's, and say nothing.
    private static func file(
        in folder: String, needing targets: SameFiles, besides raw: Set<ExactName>
    ) throws -> FileReader? {
        for name in try names(in: folder) {
            let path = "\(folder)/\(name)"
            guard !raw.contains(ExactName(RealPath.of(path))), !targets.contains(path) else { continue }
            if try BackingChain.files(behind: path).contains(where: targets.contains) { return .file(path) }
        }
        return nil
    }

    /// Nothing where there is no folder.
    /// - Throws: ``FileFailure``, as of a server that has lost it: nobody knows then what is in it.
    private static func names(in folder: String) throws -> [String] {
        guard let directory = opendir(folder) else {
            if [ENOENT, ENOTDIR].contains(errno) { return [] }
            throw FileFailure(path: folder)
        }
        closedir(directory)
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }
}

/// Which files the disks of all domains are, and read from.
struct DomainFiles: Sendable {
    private var users: [ExactName: [(id: ObjectID, name: String)]] = [:]
    /// The same by what the files are, whatever they are called.
    private var keyed: [FileKey: [(id: ObjectID, name: String)]] = [:]
    /// Disks that QEMU opens as raw.
    private(set) var raw: Set<ExactName> = []
    /// Whose disks cannot be read: they may need any file.
    private var unread: [(id: ObjectID, why: Problem)] = []

    init(_ all: [DomainNeeds], _ pools: PoolDisks = PoolDisks()) {
        for needs in all {
            let id = ObjectID(needs.record.uuid)
            var files = needs.others.map(RealPath.of)
            for disk in needs.disks { files += self.files(of: disk, id, pools) }
            for file in Set(files.map { ExactName($0) }).map(\.text) {
                add((id, needs.record.name), of: file)
            }
        }
    }

    private mutating func add(_ user: (id: ObjectID, name: String), of file: String) {
        users[ExactName(file), default: []].append(user)
        if let key = FileKey(path: file) { keyed[key, default: []].append(user) }
    }

    /// The name of a domain that needs one of the files.
    /// - Throws: ``Problem`` `pool.state` where that of a disk is not known.
    func reader(of files: [String], except: ObjectID?) throws(Problem) -> String? {
        for file in files.sorted() {
            let all = (users[ExactName(file)] ?? []) + (FileKey(path: file).flatMap { keyed[$0] } ?? [])
            if let user = all.first(where: { $0.id != except }) { return user.name }
        }
        if let other = unread.first(where: { $0.id != except }) { throw other.why }
        return nil
    }

    private mutating func files(of disk: DiskXML, _ id: ObjectID, _ pools: PoolDisks) -> [String] {
        guard let path = pools.path(of: disk) else { return [] }
        if disk.driverType != "qcow2" { raw.insert(ExactName(RealPath.of(path))) }
        do throws(Problem) { return ([path] + (try DomainNeeds.behind(disk, path))).map(RealPath.of) } catch {
            unread.append((id, error))
            return [RealPath.of(path)]
        }
    }
}

extension FileReaders {
    /// The domains of a libvirt, and the folders of its pools and of this daemon.
    init(
        _ hypervisor: Hypervisor, _ state: StateDirectory, _ records: PoolRecords, _ looks: Looks,
        _ inventory: Inventory
    ) {
        self.looks = looks
        raw = { try await inventory.read { try VolumeStore.rawPaths($0) } }
        let shared = SharedReading {
            let needs = try await hypervisor.connection().domainRecords().map { try DomainNeeds($0) }
            let pools = try await PoolDisks(needs, hypervisor)
            return try await looks.ask(Looks.disks) { DomainFiles(needs, pools) }
        }
        domains = { try await shared.value() }
        folders = {
            // Those of pools that are stopped, too: an overlay in them needs what it reads from no less.
            let pools = try await records.all().records
            return [state.volumes] + pools.compactMap { Self.folder(ofPool: $0.xml) }
        }
    }

    /// What is known already.
    init(domains: [DomainRecord], folders: [String]) throws {
        let files = DomainFiles(try domains.map { try DomainNeeds($0) })
        looks = Looks()
        self.domains = { files }
        self.folders = { folders }
        raw = { [] }
    }

    private static func folder(ofPool xml: String) -> String? {
        guard let pool = try? PoolXML(parsing: xml), ["dir", "fs", "netfs"].contains(pool.type ?? "") else {
            return nil
        }
        return pool.targetPath
    }
}
