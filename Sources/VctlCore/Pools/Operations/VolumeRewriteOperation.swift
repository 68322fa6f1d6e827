// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Writes a volume anew in its place: with all that it reads from another one, or with nothing.
struct VolumeRewriteOperation: OperationKind {
    static let name = "volume.rewrite"

    enum Action: String, Codable, Sendable {
        /// Takes in what it reads from another file.
        case flatten
        /// Overwrites all data with zeroes.
        case wipe
    }

    struct Request: Codable, Sendable {
        var pool: ObjectReference
        var volume: ObjectReference
        var file: KnownFile
        var format: DiskFormat
        /// What a guest sees.
        var bytes: Int64
        var action: Action
    }

    let environment: VMEnvironment
    private var guards: VolumeGuards { VolumeGuards(environment: environment) }

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let effects = PoolEffects(environment: environment)
        try journal.pointOfNoReturn()
        switch request.action {
        case .flatten:
            try await journal.step("flatten") { try await flatten(request, journal) }
            // Nobody has to keep for it what it has read from.
            try await journal.step("keep") { try await change(request) { $0.backing = nil } }
        case .wipe: try await wipe(request, journal)
        }
        try await journal.step("refresh") { await effects.tell(request.pool.id) }
        let now = await SeenVolume.now(
            request.file.path, isRaw: request.format == .raw, in: request.pool.name)
        return Outcome(request.volume) { transaction in
            try transaction.renew(now, of: request.pool.id, request.file.name)
        }
    }

    private func flatten(_ request: Request, _ journal: Journal) async throws {
        let path = request.file.path
        let user = try await guards.refuseFlatten(path, VolumeName(request.volume.name), to: request.bytes)
        try VolumeGuards.refuseOther(user, than: request.format, request.volume.name)
        try await guards.refuseForeignBacking(path, request.volume.name, request.format)
        let readsFrom = try await Blocking.run {
            try VolumeGuards.refuseBusy(request.file)
            return try BackingChain.files(behind: path)
        }
        guard !readsFrom.isEmpty else { return }
        try await QemuImg.flatten(path: path) { percent in
            journal.progress(.init(phase: "flattening", done: Int64(percent), total: 100, unit: "percent"))
        }
    }

    /// Changes what is kept of it, if anything is.
    private func change(_ request: Request, _ edit: @Sendable (inout KeptVolume) -> Void) async throws {
        let row = try await environment.inventory.read {
            try VolumeStore.find($0, request.pool.id, request.file.name)
        }
        guard let row, var mark = row.mark else { return }
        edit(&mark)
        guard mark != row.mark else { return }
        try environment.state.keep(.volume, mark.id, mark)
        let kept = mark
        try await environment.inventory.write { try $0.store(try row.value(), of: row.pool, kept) }
    }

    private func wipe(_ request: Request, _ journal: Journal) async throws {
        if request.format == .qcow2 {
            try await journal.step("size") { try await change(request) { $0.wiping = request.bytes } }
        }
        try await journal.step("zeroes") {
            try await refuseUsed(request)
            try await Blocking.run {
                try Zeroes.fill(request.file) { done, total in
                    journal.progress(.init(phase: "wiping", done: done, total: total))
                }
            }
        }
        guard request.format == .qcow2 else { return }
        try await journal.step("format") {
            try await refuseUsed(request)
            try await Blocking.run { try VolumeGuards.refuseBusy(request.file) }
            try await QemuImg.create(path: request.file.path, format: .qcow2, sizeBytes: request.bytes)
        }
        try await journal.step("keep") { try await change(request) { $0.wiping = nil } }
    }

    /// Somebody may have begun to use it since, also where a daemon that died began it.
    private func refuseUsed(_ request: Request) async throws {
        try await VolumeUsers(environment: environment).refuseUsed(
            request.file.path, .init(pool: request.pool.name, name: request.file.name))
    }
}

/// Overwrites what a file holds.
enum Zeroes {
    /// `SEEK_DATA` and `SEEK_HOLE`, which Swift does not import.
    private static let (seekData, seekHole): (Int32, Int32) = (3, 4)

    /// Writes zeroes over all data of a file that nobody has open; where there are none, there is nothing to
    /// lose. Nobody opens it meanwhile.
    /// - Parameter report: is told how many bytes of how many are done.
    /// - Throws: ``Problem`` `volume.inUse`, `volume.state`; ``FileFailure``.
    static func fill(_ file: KnownFile, report: (Int64, Int64) -> Void) throws {
        let lock = try ImageLock(file, for: .write)
        try withExtendedLifetime(lock) { try fill(lock.descriptor, file.path, report) }
    }

    static func fill(_ descriptor: Int32, _ path: String, _ report: (Int64, Int64) -> Void) throws {
        let size = Int64(lseek(descriptor, 0, SEEK_END))
        guard size >= 0 else { throw FileFailure(path: path) }
        let zeroes = [UInt8](repeating: 0, count: 1 << 20)
        var offset = Int64(0)
        while offset < size {
            let begin = Int64(lseek(descriptor, off_t(offset), seekData))
            guard begin >= 0 else {
                // No more data behind.
                if errno == ENXIO { break }
                throw FileFailure(path: path)
            }
            let end = Int64(lseek(descriptor, off_t(begin), seekHole))
            guard end > begin else { throw FileFailure(path: path) }
            offset = begin
            while offset < end {
                let count = pwrite(
                    descriptor, zeroes, Int(min(Int64(zeroes.count), end - offset)), off_t(offset))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw FileFailure(path: path) }
                offset += Int64(count)
                report(offset, size)
            }
        }
        guard fsync(descriptor) == 0 else { throw FileFailure(path: path) }
    }
}
