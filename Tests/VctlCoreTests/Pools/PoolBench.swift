// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI

@testable import VctlCore

/// A bench with a core for tests of pools, and short words for what they do with it.
struct PoolBench: Sendable {
    let bench: Bench
    let core: Core

    init(bench: Bench, core: Core) { (self.bench, self.core) = (bench, core) }

    init() async throws {
        bench = try await Bench()
        core = try await bench.core()
    }

    @discardableResult
    func refused(_ code: ErrorCode, _ body: () async throws -> Accepted) async -> Problem? {
        let problem = await #expect(throws: Problem.self) { _ = try await body() }
        #expect(problem?.errorCode == code, "\(problem?.detail ?? "")")
        return problem
    }

    func context(_ action: String) -> RequestContext { bench.context(action) }

    func request(_ name: String, _ target: String) throws -> PoolCreate {
        var create = PoolCreate(name: try Name(name), type: .dir)
        create.target = target
        return create
    }

    func folder(_ name: String) throws -> String {
        let path = "\(bench.folders)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// Makes a pool in a folder of that name, or another one.
    @discardableResult
    func make(_ name: String, _ target: String? = nil) async throws -> Pool {
        let request = try request(name, target ?? "\(bench.folders)/\(name)")
        try await ended(try await core.pools.create(request, context("pool.create")))
        return try await pool(name)
    }

    /// Waits for an operation.
    /// - Throws: what ended it.
    func ended(_ accepted: Accepted) async throws {
        await core.engine.idle()
        if let problem = try await core.operations.get(.id(try accepted.operationID)).error { throw problem }
    }

    func pool(_ name: String) async throws -> Pool {
        try JSON.value(Pool.self, try await core.pools.show(.name(name)).json)
    }

    func volumes(_ pool: String? = nil) async throws -> [Volume] {
        let reference = pool.map { Reference.name($0) }
        return try JSON.value([Volume].self, try await core.pools.volumes(of: reference, ListQuery()).json)
    }

    func volume(_ name: String, _ size: String = "8M") throws -> VolumeCreate {
        VolumeCreate(name: try Name(name), sizeBytes: try ByteCount(size))
    }

    func add(_ pool: String, _ create: VolumeCreate) async throws {
        try await ended(try await core.pools.createVolume(.name(pool), create, context("volume.create")))
    }

    /// Makes a linked clone of a volume in another pool.
    func link(_ pool: String, _ name: String, to other: String, as top: String = "top") async throws {
        var clone = VolumeClone(name: try Name(top))
        (clone.clone, clone.pool) = (.linked, .name(other))
        try await ended(
            try await core.pools.cloneVolume(.name(pool), name, clone, context("volume.clone")))
    }

    /// Takes a pool's directory away, as a file system that is not mounted any more.
    func unmount(_ pool: String) async throws {
        let folder = "\(bench.folders)/\(pool)"
        try await bench.hypervisor.connection().storagePool(name: pool).destroy()
        try FileManager.default.moveItem(atPath: folder, toPath: "\(bench.directory)/\(pool)-away")
        try await look()
    }

    func forced(_ action: String) -> RequestContext {
        var context = context(action)
        context.force = true
        return context
    }

    /// Goes on with an operation after the daemon has died.
    func resumed(_ id: ObjectID) async throws -> VctlAPI.Operation {
        let core = try await bench.core()
        try await core.engine.resume()
        await core.engine.idle()
        let operation = try await core.operations.get(.id(id))
        try core.inventory.close()
        return operation
    }

    /// Looks at all pools, as happens every few seconds.
    func look() async throws { try await core.environment.pools.resync() }

    func close() throws { try core.inventory.close() }
}
