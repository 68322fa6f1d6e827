// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

/// Makes a pool: its directory, its definition, and then the pool itself.
struct PoolCreateOperation: OperationKind {
    static let name = "pool.create"

    struct Request: Codable, Sendable {
        var plan: PoolPlan
        var autostart: Bool
        var start: Bool
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = PoolEffects(environment: environment)
        let (plan, state, id) = (request.plan, environment.state, request.plan.id)
        try await journal.step("folder", undo: { effects.remove(plan.mark.folders) }) {
            try effects.make(plan.mark.folders)
        }
        try await journal.step("keep", undo: { try state.forget(.pool, id) }) {
            try state.keep(.pool, id, plan.mark)
        }
        try await journal.step("define", undo: { try await effects.undefine(id) }) {
            try await effects.define(plan)
        }
        if request.autostart {
            try await journal.step("autostart") { try await effects.autostart(id, true) }
        }
        if request.start {
            try await journal.step("start", undo: { try await effects.stop(id) }) {
                try await effects.start(id)
            }
        }
        try await journal.step("observe") { try await environment.pools.refresh(id) }
        return Outcome(plan.reference)
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try transaction.removePool(request.plan.id, origin: .vctl)
    }
}

/// Starts, stops or refreshes a pool.
struct PoolPowerOperation: OperationKind {
    static let name = "pool.power"

    enum Action: String, Codable, Sendable {
        case start, stop, refresh
    }

    struct Request: Codable, Sendable {
        var pool: ObjectReference
        var action: Action
        /// Whether VMs that run with its volumes do not count; of a refresh, whether the folder that is there
        /// now is the pool's.
        var force: Bool?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = PoolEffects(environment: environment)
        let id = request.pool.id
        switch request.action {
        case .start, .stop:
            let wasActive = try await journal.step("before") {
                try await effects.existing(id).isActive()
            }
            let shall = request.action == .start
            try await journal.step(
                request.action.rawValue, undo: { try await effects.power(id, wasActive) }
            ) {
                if !shall { try await refuseUsed(request) }
                try await effects.power(id, shall)
            }
        case .refresh:
            try await journal.step("refresh") { try await effects.refresh(id) }
            if request.force == true {
                // The next look takes the folder that is there.
                try await journal.step("folder") {
                    try await environment.inventory.write { try $0.keepFolder(nil, of: id) }
                }
            }
        }
        let observe = { @Sendable in try await environment.pools.refresh(id) }
        try await journal.step("observe", undo: observe, observe)
        return Outcome(request.pool)
    }

    /// A VM may have begun to run with a volume since the request was accepted.
    private func refuseUsed(_ request: Request) async throws {
        guard request.force != true else { return }
        let row = try await environment.inventory.read { try PoolStore.get($0, .id(request.pool.id)) }
        let running = try await VolumeUsers(environment: environment).ofPool(
            request.pool, folder: try row.value().target, running: true)
        guard running.isEmpty else { throw PoolService.stopping(row.name, running) }
    }
}

/// Changes what vctl knows of a pool, and whether it starts with the host. That is all that happens when a
/// pool is adopted or released, too: libvirt's definition stays as it is.
struct PoolMarkOperation: OperationKind {
    static let name = "pool.mark"

    struct Request: Codable, Sendable {
        var pool: ObjectReference
        var before: KeptPool?
        var after: KeptPool?
        /// Whether it starts with the host, where that changes.
        var autostart: Bool?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = PoolEffects(environment: environment)
        let id = request.pool.id
        if let autostart = request.autostart {
            try await journal.step("autostart", undo: { try await effects.autostart(id, !autostart) }) {
                try await effects.autostart(id, autostart)
            }
        }
        if request.before != request.after {
            try await journal.step("mark", undo: { try await effects.keep(id, request.before) }) {
                try await effects.keep(id, request.after)
            }
        }
        let observe = { @Sendable in try await environment.pools.refresh(id) }
        try await journal.step("observe", undo: observe, observe)
        return Outcome(request.pool)
    }
}

/// Deletes a pool: with its volumes if asked, else they stay where they are.
struct PoolDeleteOperation: OperationKind {
    static let name = "pool.delete"

    struct Request: Codable, Sendable {
        var pool: ObjectReference
        /// The files that go with it.
        var files: [KnownFile]
        /// Folders that were made for it, and go where nothing is left in them.
        var folders: [String]
        /// The marks of its volumes.
        var volumes: [ObjectID]
        /// The directory that VMs may have disks in by now.
        var target: String?
        /// Whether it is forgotten that volumes in it read from what is not in it.
        var force: Bool?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = PoolEffects(environment: environment)
        let (id, state) = (request.pool.id, environment.state)
        try journal.pointOfNoReturn()
        // The files first: a pool that is still there can be deleted again.
        try await journal.step("files") { try await remove(request) }
        try await journal.step("undefine") {
            try await refuseUsed(request)
            try await refuseLinks(request)
            try await effects.undefine(id)
        }
        let left = try await journal.step("folders") { () -> [String] in effects.remove(request.folders) }
        for problem in left { journal.warn("a directory of the pool is left: \(problem)") }
        try await journal.step("forget") {
            for volume in request.volumes { try state.forget(.volume, volume) }
            try state.forget(.pool, id)
        }
        return Outcome(request.pool) { try $0.removePool(id, origin: .vctl) }
    }

    /// Somebody may have begun to use them since, also where a daemon that died began it.
    private func remove(_ request: Request) async throws {
        guard !request.files.isEmpty else { return }
        try await PoolEffects(environment: environment).refuseOtherFolder(request.pool.id)
        try await refuseUsed(request)
        try await VolumeUsers(environment: environment).refuseNeeded(request.files.map(\.path))
        let files = request.files
        try await Blocking.run { for file in files { try VolumeRemoval.remove(file) } }
    }

    /// Somebody may have put a disk there since the request was accepted.
    private func refuseUsed(_ request: Request) async throws {
        let users = try await VolumeUsers(environment: environment).ofPool(
            request.pool, folder: request.target)
        guard !users.isEmpty else { return }
        throw PoolService.used(request.pool.name, users)
    }

    private func refuseLinks(_ request: Request) async throws {
        guard request.force != true else { return }
        let gone = request.files.map(\.path)
        let link = try await environment.inventory.read {
            try VolumeStore.links($0, outOf: request.pool.id, besides: gone).first
        }
        if let link { throw PoolService.linked(request.pool.name, link) }
    }
}
