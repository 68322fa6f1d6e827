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
    /// Every domain, as libvirt has it now.
    let domains: @Sendable () async throws -> [DomainRecord]
    /// Folders in which images may lie that no domain has.
    let folders: @Sendable () async throws -> [String]

    /// The domains of a libvirt, and the folders of its pools and of this daemon.
    init(_ hypervisor: Hypervisor, _ state: StateDirectory) {
        domains = { try await hypervisor.connection().domainRecords() }
        folders = {
            let pools = try await hypervisor.connection().storagePoolRecords().filter(\.isActive)
            return [state.volumes] + pools.compactMap { Self.folder(ofPool: $0.xml) }
        }
    }

    init(domains: [DomainRecord], folders: [String]) {
        self.domains = { domains }
        self.folders = { folders }
    }

    /// The first who needs one of the files, besides the domain `except` and the files themselves.
    /// - Throws: ``Problem`` `libvirt.unavailable`: without libvirt nobody knows.
    func first(of paths: [String], except: ObjectID? = nil) async throws -> FileReader? {
        guard !paths.isEmpty else { return nil }
        let records = try await domains()
        let near = paths.map { ($0 as NSString).deletingLastPathComponent }
        let folders = Set(try await folders() + near).sorted()
        return try await Blocking.run {
            var search = Search(Set(paths.map(RealPath.of)))
            return search.domain(in: records, except: except) ?? search.file(in: folders)
        }
    }

    private static func folder(ofPool xml: String) -> String? {
        guard let pool = try? PoolXML(parsing: xml), ["dir", "fs", "netfs"].contains(pool.type ?? "") else {
            return nil
        }
        return pool.targetPath
    }

    /// One look at everything; what was found out about a file is not asked again.
    private struct Search {
        let targets: Set<String>
        private var needs: [String: Bool] = [:]

        init(_ targets: Set<String>) { self.targets = targets }

        mutating func domain(in records: [DomainRecord], except: ObjectID?) -> FileReader? {
            for record in records where ObjectID(record.uuid) != except {
                let disks = [record.activeXML, record.inactiveXML].compactMap { $0 }.flatMap(Self.disks)
                for path in disks where isOrNeeds(path) { return .domain(record.name) }
            }
            return nil
        }

        private static func disks(_ xml: String) -> [String] {
            (try? DomainXML(parsing: xml))?.disks.compactMap(\.sourcePath) ?? []
        }

        mutating func file(in folders: [String]) -> FileReader? {
            for folder in folders {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                for name in names.sorted() {
                    let path = "\(folder)/\(name)"
                    if !targets.contains(RealPath.of(path)), isOrNeeds(path) { return .file(path) }
                }
            }
            return nil
        }

        private mutating func isOrNeeds(_ path: String) -> Bool {
            if let known = needs[path] { return known }
            let found = ([path] + BackingChain.files(behind: path)).contains {
                targets.contains(RealPath.of($0))
            }
            needs[path] = found
            return found
        }
    }
}
