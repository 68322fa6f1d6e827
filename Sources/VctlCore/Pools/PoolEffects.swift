// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Logging
import VctlAPI
import VirtXML

/// What operations do to pools. Each looks first, so that it may run twice.
struct PoolEffects: Sendable {
    let environment: VMEnvironment

    private var hypervisor: Hypervisor { environment.hypervisor }

    /// The pool, whoever made it.
    /// - Throws: ``Problem`` `pool.notFound`.
    func existing(_ id: ObjectID) async throws -> StoragePool {
        if let pool = try await hypervisor.pool(id, changes: true) { return pool }
        throw Problem(.poolNotFound, "libvirt has no pool \(id) any more", hint: "vctl pool list")
    }

    /// Makes folders that only root may list: names of disks are nobody's business.
    func make(_ folders: [String]) throws {
        for folder in folders {
            guard mkdir(folder, 0o711) == 0 || (errno == EEXIST && PoolPlanner.isFolder(folder)) else {
                throw FileFailure(path: folder)
            }
        }
    }

    /// Removes folders that are empty; others stay.
    /// - Returns: those that could not be removed, and why.
    @discardableResult
    func remove(_ folders: [String]) -> [String] {
        var problems: [String] = []
        for folder in folders.reversed() where rmdir(folder) != 0 {
            let code = errno
            if ![ENOENT, ENOTEMPTY, EEXIST].contains(code) {
                problems.append("\(FileFailure(path: folder, errno: code))")
            }
        }
        return problems
    }

    func define(_ plan: PoolPlan) async throws {
        guard try await hypervisor.pool(plan.id, changes: true) == nil else { return }
        _ = try await hypervisor.poolConnection(changes: true).define(storagePool: plan.poolXML().xml)
    }

    func undefine(_ id: ObjectID) async throws {
        guard let pool = try await hypervisor.pool(id, changes: true) else { return }
        if try await pool.isActive() { try await stop(id) }
        do {
            try await pool.undefine()
        } catch let error as LibvirtError where error.code == .noStoragePool {
        }
    }

    func start(_ id: ObjectID) async throws {
        let pool = try await existing(id)
        if try await pool.isActive() { return }
        do {
            try await pool.start()
        } catch let error as LibvirtError where error.code == .operationInvalid {
            guard try await pool.isActive() else { throw error }
        }
    }

    /// Stops it; that it is off, or gone, is as good.
    func stop(_ id: ObjectID) async throws {
        guard let pool = try await hypervisor.pool(id, changes: true), try await pool.isActive() else {
            return
        }
        do {
            try await pool.destroy()
        } catch let error as LibvirtError
            where error.code == .operationInvalid || error.code == .noStoragePool
        {
            if try await hypervisor.pool(id, changes: true)?.isActive() ?? false { throw error }
        }
    }

    func power(_ id: ObjectID, _ on: Bool) async throws {
        if on { try await start(id) } else { try await stop(id) }
    }

    func autostart(_ id: ObjectID, _ on: Bool) async throws {
        let pool = try await existing(id)
        guard try await pool.autostart() != on else { return }
        try await pool.setAutostart(on)
    }

    /// Lets libvirt look again. It stops a pool whose directory is gone, which nobody has asked for.
    /// - Throws: ``Problem`` `pool.state`.
    func refresh(_ id: ObjectID) async throws {
        let pool = try await existing(id)
        let row = try await environment.inventory.read { try PoolStore.get($0, .id(id)) }
        let value = try row.value()
        if value.type == .dir, let target = value.target, !hypervisor.uri.hasPrefix("test:") {
            guard try await environment.looks.ask(target, { PoolPlanner.isFolder(target) }) else {
                throw Problem(
                    .poolState, "the directory \(shown(target)) of pool \(shown(row.name)) is not there",
                    hint: "ls -ld \(shown(target))")
            }
        }
        try await pool.refresh()
    }

    /// The same after a change of ours, which has succeeded whatever libvirt thinks of it.
    func tell(_ id: ObjectID) async {
        do { try await refresh(id) } catch {
            environment.logger.debug("libvirt did not refresh a pool", metadata: ["error": "\(error)"])
        }
    }

    /// Makes a pool ours, or nobody's, in its file and its row.
    func keep(_ id: ObjectID, _ mark: KeptPool?) async throws {
        if let mark {
            try environment.state.keep(.pool, id, mark)
        } else {
            try environment.state.forget(.pool, id)
        }
        let folder = environment.state.volumes
        try await environment.inventory.write { try $0.mark(id, mark, own: folder) }
    }
}
