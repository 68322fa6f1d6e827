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
        /// Whether files that no domain has, and that read from the disks, do not count.
        var force: Bool?
        /// What DHCP keeps for it.
        var frees: [AddressKeeping.Kept]?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let domains = DomainEffects(environment: environment)
        let id = request.vm.id
        try journal.pointOfNoReturn()
        try await journal.step("power-off") {
            if try await domains.ours(id) != nil { try await domains.destroy(id) }
        }
        try await journal.step("undefine") {
            // Who changes the definition meanwhile would bring it back.
            try await environment.turns.alone(id) { try await domains.undefine(id) }
        }
        for (index, kept) in (request.frees ?? []).enumerated() {
            try await journal.free(kept, "free:\(index)", environment)
        }
        try await Self.removeDisks(request.disks, force: request.force ?? false, environment, journal)
        let left = try await journal.step("seed-and-log") { () -> [String] in removeOwnFiles(id) }
        left.forEach { journal.warn($0) }
        return Outcome(request.vm) { transaction in try transaction.removeVM(id, origin: .vctl) }
    }

    /// Somebody may have begun to use a disk since the request was accepted; then all are left.
    static func removeDisks(
        _ files: [String], force: Bool, _ environment: VMEnvironment, _ journal: Journal
    ) async throws {
        let why = try await journal.step("readers") { () -> String? in
            do {
                return try await reader(of: files, force, environment).map {
                    "\($0.description) uses a disk by now"
                }
            } catch let problem as Problem where problem.errorCode == .poolState {
                // The VM goes all the same: what it was is gone already.
                return problem.detail
            }
        }
        if let why { return journal.warn("\(why); left are \(files.joined(separator: ", "))") }
        for (index, path) in files.enumerated() {
            let problem = try await journal.step("disk:\(index)") { () -> String? in Self.remove(path) }
            if let problem { journal.warn(problem) }
        }
    }

    private static func reader(
        of files: [String], _ force: Bool, _ environment: VMEnvironment
    ) async throws -> FileReader? {
        if let reader = try await environment.readers.first(of: files, looseFiles: !force) { return reader }
        guard !force else { return nil }
        return try await VolumeUsers(environment: environment).link(to: files).map { .file($0.path) }
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
            try ForwardRecovery.forget(to: id, environment.state)
        } catch {
            problems.append("a file of it could not be removed: \(error.localizedDescription)")
        }
        let variables = environment.state.allVariables(id)
        return problems
            + (OwnFiles.consoleLogs(of: id, environment.state) + variables).compactMap(Self.remove)
    }
}

/// Which of a VM's files were made for it, and so go with it.
enum OwnFiles {
    /// A disk is ours to remove when the mark says that it is a volume, and its path bears that volume's id.
    /// So are the files behind it, in the same folder, that bear the id too: what a snapshot leaves behind an
    /// overlay.
    static func disks(of vm: VM) -> [String] {
        vm.disks.flatMap { disk -> [String] in
            guard disk.device == "disk", disk.role == "root" || disk.role == "data", let path = disk.path,
                let serial = disk.serial, serial.count >= 8
            else { return [] }
            let folder = (path as NSString).deletingLastPathComponent
            let isOurs = { (path: String) in
                (path as NSString).lastPathComponent.contains("-\(serial.prefix(8)).")
                    && (path as NSString).deletingLastPathComponent == folder
            }
            guard isOurs(path) else { return [] }
            // What cannot be read leaves at worst a file.
            let behind = (try? BackingChain.files(behind: path, format: disk.format ?? "raw")) ?? []
            return [path] + behind.filter(isOurs)
        }
    }

    /// What a VM has said on its serial line; virtlogd keeps older parts as NAME.0, NAME.1, …
    static func consoleLogs(of id: ObjectID, _ state: StateDirectory) -> [String] {
        let directory = (state.consoleLog(id) as NSString).deletingLastPathComponent
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().filter { $0.hasPrefix("\(id).log") }.map { "\(directory)/\($0)" }
    }
}
