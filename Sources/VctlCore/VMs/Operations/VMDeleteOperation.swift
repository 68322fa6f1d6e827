// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI

/// Deletes a VM: powers it off, undefines it, and removes the files that were made for it. The files go last,
/// when nothing can use them any more; one that cannot be removed is named in a warning.
struct VMDeleteOperation: OperationKind {
    static let name = "vm.delete"

    struct Request: Codable, Sendable {
        var vm: ObjectReference
        /// Files of disks that were made for it.
        var disks: [String]
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let domains = DomainEffects(environment: environment)
        let id = request.vm.id
        try journal.pointOfNoReturn()
        try await journal.step("power-off") {
            if try await domains.ours(id) != nil { try await domains.destroy(id) }
        }
        try await journal.step("undefine") { try await domains.undefine(id) }
        for (index, path) in request.disks.enumerated() {
            let problem = try await journal.step("disk:\(index)") { () -> String? in Self.remove(path) }
            if let problem { journal.warn(problem) }
        }
        let left = try await journal.step("seed-and-log") { () -> [String] in removeOwnFiles(id) }
        left.forEach { journal.warn($0) }
        return Outcome(request.vm) { transaction in try transaction.removeVM(id, origin: .vctl) }
    }

    private static func remove(_ path: String) -> String? {
        do {
            try DurableFile.remove(path)
            return nil
        } catch {
            return "\(path) could not be removed and is left: \(error.localizedDescription)"
        }
    }

    private func removeOwnFiles(_ id: ObjectID) -> [String] {
        var problems: [String] = []
        do {
            try SeedFiles(environment.state).remove(id)
        } catch {
            problems.append("the seed could not be removed: \(error.localizedDescription)")
        }
        let log = environment.state.consoleLog(id)
        let directory = (log as NSString).deletingLastPathComponent
        // virtlogd keeps older parts as NAME.0, NAME.1, …
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasPrefix("\(id).log") {
            if let problem = Self.remove("\(directory)/\(name)") { problems.append(problem) }
        }
        return problems
    }
}

/// Which of a VM's files were made for it, and so go with it.
enum OwnFiles {
    /// A disk is ours to remove when the mark says that it is a volume, and its path bears that volume's id.
    static func disks(of vm: VM, state: StateDirectory) -> [String] {
        vm.disks.compactMap { disk in
            guard disk.device == "disk", disk.role == "root" || disk.role == "data", let path = disk.path,
                let serial = disk.serial, serial.count >= 8, path.contains("-\(serial.prefix(8))."),
                (path as NSString).lastPathComponent.hasPrefix("\(vm.name)-")
                    || path.hasPrefix(state.volumes + "/")
            else { return nil }
            return path
        }
    }
}
