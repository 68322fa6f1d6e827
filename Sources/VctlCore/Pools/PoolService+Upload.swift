// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

extension PoolService {
    /// Receives a file into a new volume, which is there once the file is whole, has that checksum and is a
    /// disk that stands alone. Reads `body` only as fast as the disk writes.
    /// - Parameters:
    ///   - checksum: what the file must have; `nil`: anything.
    ///   - size: how many bytes are to come, where that is known.
    /// - Throws: ``Problem`` `volume.exists`, `storage.full`, `image.checksum`, `image.format`,
    ///   `image.backingFile`, `image.corrupt`; and what `body` throws. Nothing is left then.
    public func uploadVolume<Body: AsyncSequence & Sendable>(
        _ pool: Reference, _ name: String, checksum: String?, size: Int64?, body: Body,
        _ context: RequestContext
    ) async throws -> Accepted where Body.Element == [UInt8] {
        let (create, checksum) = try Self.checked(name, checksum)
        let (row, folder) = try await writable(pool)
        let path = "\(folder)/\(create.name)"
        try await refuseTaken(path, "\(row.name)/\(create.name)")
        if let size {
            try await Blocking.run { try FreeSpace.require(size, at: path, for: "the file") }
        }
        var request = self.request(create, row, folder, context)
        let (volume, notes) = (request.volume, UploadNotes(state: environment.state))
        try notes.begin(volume)
        do {
            try await Self.receive(body, into: volume.path)
            let verification = ImageVerification(
                path: volume.path, checksum: checksum, declared: nil, limits: ImageLimits())
            let found = try await verification.run { _ in }
            try request.take(found, try await Blocking.run { KnownFile(path: volume.path) })
        } catch {
            try await Blocking.run { try DurableFile.remove(volume.path) }
            try notes.end(volume.id)
            throw error
        }
        return try await hand(over: request, row, context)
    }

    /// From here on the file is the operation's, if there is one.
    private func hand(
        over request: VolumeCreateOperation.Request, _ row: PoolRow, _ context: RequestContext
    ) async throws -> Accepted {
        let notes = UploadNotes(state: environment.state)
        do {
            let accepted = try await accept(request, row, context, "make \(request.mark.path)")
            try notes.end(request.volume.id)
            return accepted
        } catch let problem as Problem {
            // Refused: another has the name by now.
            try await notes.sweep([request.volume.id], inventory)
            throw problem
        }
    }

    private static func checked(_ name: String, _ checksum: String?) throws -> (VolumeCreate, Checksum?) {
        // What it will be is known when it is there.
        let size = try ByteCount(bytes: Limits.diskBytes.lowerBound)
        let create = VolumeCreate(name: try valid("volume") { try Name(checking: name) }, sizeBytes: size)
        try VMRules.refuse(PoolRules.problems(create))
        return (create, try valid("checksum") { try checksum.map { try Checksum(checking: $0) } })
    }

    private static func valid<Value>(_ field: String, _ make: () throws -> Value) throws -> Value {
        do { return try make() } catch let error as InvalidValue {
            throw Problem(
                .requestInvalid, "\(field): \(error.problem)", errors: [FieldProblem(field, error.problem)])
        }
    }

    private static func receive<Body: AsyncSequence & Sendable>(_ body: Body, into path: String) async throws
    where Body.Element == [UInt8] {
        let file = try await Blocking.run { try UploadFile(path: path, size: 0) }
        defer { file.close() }
        var offset: Int64 = 0
        for try await bytes in body {
            let start = offset
            try await Blocking.run { try file.write(bytes, at: start) }
            offset += Int64(bytes.count)
        }
        try await Blocking.run { try file.sync() }
    }
}

extension VolumeCreateOperation.Request {
    /// What was received is the volume.
    /// - Throws: ``Problem`` `image.format` where a guest could not use it as it is.
    fileprivate mutating func take(_ found: ImageVerification.Verified, _ file: KnownFile?) throws {
        guard found.format == .qcow2 || found.format == .raw else {
            throw Problem(
                .imageFormat, "the file is \(found.format.rawValue); a volume is qcow2 or raw",
                hint: "qemu-img convert -O qcow2 FILE disk.qcow2, and upload disk.qcow2")
        }
        guard let file else { throw FileFailure(path: volume.path, errno: ENOENT) }
        (mark.format, volume.format, volume.sizeBytes) = (found.format, found.format, found.virtualSize)
        received = file
    }
}
