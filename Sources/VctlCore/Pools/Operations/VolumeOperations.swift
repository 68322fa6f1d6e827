// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Makes a volume: under a minted name that is in no list, and then at its own.
struct VolumeCreateOperation: OperationKind {
    static let name = "volume.create"

    struct Request: Codable, Sendable {
        var pool: ObjectReference
        var mark: KeptVolume
        /// The volume under the minted name.
        var volume: NewVolume
        /// The volume that it is a clone of.
        var source: ObjectReference?
        /// The file at the minted name, where it was received and not made.
        var received: KnownFile?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let maker = VolumeMaker(environment: environment)
        let effects = PoolEffects(environment: environment)
        let (mark, volume, state) = (request.mark, request.volume, environment.state)
        try await journal.step("make", undo: { try await Blocking.run { try maker.remove(volume) } }) {
            if let source = request.source { try await refuseBusy(source, volume) }
            // An empty one in its place would be somebody's lost data.
            if let file = request.received { return try await Self.refuseReplaced(file) }
            try await maker.make(volume) { journal.progress($0) }
        }
        let file = try await journal.step("identity") { try await Self.made(volume) }
        let takeBack = { @Sendable in
            try await Blocking.run { try VolumePlace.takeBack(file, at: mark.path) }
        }
        try await journal.step("place", undo: takeBack) {
            try await Blocking.run { try VolumePlace.place(file, at: mark.path) }
        }
        let kept = mark.of(file)
        try await journal.step("keep", undo: { try state.forget(.volume, mark.id) }) {
            try state.keep(.volume, mark.id, kept)
        }
        let pool = request.pool
        let tell = { @Sendable in await effects.tell(pool.id) }
        try await journal.step("refresh", undo: tell, tell)
        let made = await request.present(kept)
        return Outcome(made.reference) { try $0.store(made, of: pool.id, kept) }
    }

    private static func refuseReplaced(_ file: KnownFile) async throws {
        try await Blocking.run {
            guard file.isThere else { throw ImageLock.replaced(file.path) }
        }
    }

    private static func made(_ volume: NewVolume) async throws -> KnownFile {
        if let file = try await Blocking.run({ KnownFile(path: volume.path) }) { return file }
        throw FileFailure(path: volume.path, errno: ENOENT)
    }

    /// Somebody may have begun to use it since the request was accepted.
    private func refuseBusy(_ source: ObjectReference, _ volume: NewVolume) async throws {
        guard let file = volume.source else { return }
        let name = VolumeName(source.name)
        let original = Volume(
            id: source.id, pool: name.pool, name: name.name, path: file.path, state: .present)
        let guards = VolumeGuards(environment: environment)
        let user = try await guards.refuseReading(original, forGood: file.linked)
        try VolumeGuards.refuseOther(user, than: file.format, source.name)
        try await guards.refuseForeignBacking(file.path, source.name, file.format)
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        guard let row = try VolumeStore.find(transaction.db, request.pool.id, request.mark.name) else {
            return
        }
        try transaction.removeVolume(row, origin: .vctl)
    }
}

extension KeptVolume {
    /// The same with the file that was made.
    fileprivate func of(_ made: KnownFile) -> KeptVolume {
        var mark = self
        mark.file = made.identity
        return mark
    }
}

extension VolumeCreateOperation.Request {
    /// The volume as it lies there now.
    fileprivate func present(_ mark: KeptVolume) async -> Volume {
        let seen = await SeenVolume.now(mark.path, isRaw: mark.format == .raw, in: pool.name)
        guard let seen else { return .missing(mark, in: pool.name) }
        var made = seen.volume
        made.apply(mark, of: seen.file)
        return made
    }
}

/// Makes a volume another size.
struct VolumeResizeOperation: OperationKind {
    static let name = "volume.resize"

    struct Request: Codable, Sendable {
        var pool: ObjectReference
        var volume: ObjectReference
        var file: KnownFile
        var format: DiskFormat
        var bytes: Int64
        var shrinks: Bool
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = PoolEffects(environment: environment)
        try journal.pointOfNoReturn()
        try await journal.step("resize") { try await resize(request) }
        try await journal.step("refresh") { await effects.tell(request.pool.id) }
        let now = await SeenVolume.now(
            request.file.path, isRaw: request.format == .raw, in: request.pool.name)
        return Outcome(request.volume) { transaction in
            try transaction.renew(now, of: request.pool.id, request.file.name)
        }
    }

    /// Somebody may have begun to use it since, also where a daemon that died began it.
    private func resize(_ request: Request) async throws {
        let path = request.file.path
        let guards = VolumeGuards(environment: environment)
        let name = VolumeName(request.volume.name)
        let user = try await guards.refuseResize(path, name, to: request.bytes)
        try VolumeGuards.refuseOther(user, than: request.format, request.volume.name)
        try await guards.refuseForeignBacking(path, request.volume.name, request.format)
        let image = QemuImg.Image(path: path, format: request.format)
        try await Blocking.run { try VolumeGuards.refuseBusy(request.file) }
        if request.shrinks { try await VolumeGuards.refuseLoss(of: image, name, at: request.bytes) }
        guard try await QemuImg.info(image).virtualSizeBytes != request.bytes else { return }
        try await Blocking.run { try VolumeGuards.refuseBusy(request.file) }
        try await QemuImg.resize(
            path: path, format: image.format, sizeBytes: request.bytes, shrinks: request.shrinks)
    }
}

/// Deletes a volume with its data.
struct VolumeDeleteOperation: OperationKind {
    static let name = "volume.delete"

    struct Request: Codable, Sendable {
        var pool: ObjectReference
        var volume: ObjectReference
        /// How the volume is called in its pool.
        var name: String
        /// What kept it as ours.
        var mark: ObjectID?
        /// What is removed; `nil`: it is gone, or another file has its place, and it is only forgotten.
        var file: KnownFile?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = PoolEffects(environment: environment)
        let (volume, state, users) = (
            request.volume, environment.state, VolumeUsers(environment: environment)
        )
        try journal.pointOfNoReturn()
        if let file = request.file {
            try await journal.step("remove") {
                try await effects.refuseOtherFolder(request.pool.id)
                try await users.refuseUsed(file.path, .init(pool: request.pool.name, name: request.name))
                try await Blocking.run { try VolumeRemoval.remove(file) }
            }
        }
        try await journal.step("forget") {
            if let mark = request.mark { try state.forget(.volume, mark) }
        }
        try await journal.step("refresh") { await effects.tell(request.pool.id) }
        return Outcome(volume) { transaction in
            guard let row = try VolumeStore.find(transaction.db, request.pool.id, request.name) else {
                return
            }
            try transaction.removeVolume(row, origin: .vctl)
        }
    }
}
