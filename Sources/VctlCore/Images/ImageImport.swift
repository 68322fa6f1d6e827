// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Turns received or downloaded content into an image that VMs can read from.
struct ImageImport: OperationKind {
    static let name = "image.import"

    /// Everything decided and minted before it was accepted.
    struct Request: Codable, Sendable {
        /// The image as it was accepted, with the minted id.
        var image: Image
        var origin: Origin
        var checksum: Checksum?
        var sourceFormat: DiskFormat?
        var format: DiskFormat?
    }

    /// Where the content comes from.
    enum Origin: String, Codable, Sendable {
        /// From the address in the secret file of the image.
        case url
        /// It was received before the operation began.
        case upload
    }

    let state: StateDirectory
    let limits: ImageLimits

    init(state: StateDirectory, limits: ImageLimits = ImageLimits()) {
        self.state = state
        self.limits = limits
    }

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let id = request.image.id
        try await obtain(request, journal)
        let verified = try await verify(request, journal)
        let format = Self.storedFormat(request, verified)
        if format != verified.format {
            try await convert(id, verified, to: format, journal)
        }
        return try await settle(request.image, verified, format, journal)
    }

    /// Brings verified content to its place, and notes that the image is ready.
    func settle(
        _ image: Image, _ verified: ImageVerification.Verified, _ format: DiskFormat, _ journal: Journal
    ) async throws -> Outcome {
        let id = image.id
        let placed = try await place(id, verified, format, journal)
        let image = Self.finished(image, verified, format, placed)
        let path = state.image(id, format)
        _ = try await journal.step("keep", undo: { [state] in try state.forget(.image, id) }) { [state] in
            try state.keep(image, path: path)
            return true
        }
        return Outcome(image.reference) { [operation = journal.operation] transaction in
            try transaction.update(image, path: path, operation: operation)
        }
    }

    /// The content under `incoming/`. Its undo is the same for both origins: nothing of it stays.
    private func obtain(_ request: Request, _ journal: Journal) async throws {
        let id = request.image.id
        let download = ImageDownload(id: id, state: state, limits: limits)
        let undo: @Sendable () async throws -> Void = { try download.remove() }
        switch request.origin {
        case .url:
            let checked = request.checksum != nil
            _ = try await journal.step("download", undo: undo) {
                try await download.run(checked: checked) { journal.progress($0) }
            }
        case .upload:
            _ = try await journal.step("received", undo: undo) { try download.size() }
        }
    }

    private func verify(_ request: Request, _ journal: Journal) async throws -> ImageVerification.Verified {
        let verification = ImageVerification(
            path: state.incoming(request.image.id), checksum: request.checksum,
            declared: request.sourceFormat,
            limits: limits)
        return try await journal.step("verify") { try await verification.run { journal.progress($0) } }
    }

    private func convert(
        _ id: ObjectID, _ verified: ImageVerification.Verified, to format: DiskFormat, _ journal: Journal
    ) async throws {
        let placement = ImagePlacement(id: id, format: format, state: state)
        _ = try await journal.step("convert", undo: { try placement.removePartial() }) {
            try await placement.convert(verified) { journal.progress($0) }
        }
    }

    private func place(
        _ id: ObjectID, _ verified: ImageVerification.Verified, _ format: DiskFormat, _ journal: Journal
    ) async throws -> FileStamp {
        let placement = ImagePlacement(id: id, format: format, state: state)
        return try await journal.step("place", undo: { try placement.removePlaced() }) {
            try await placement.place(verified)
        }
    }

    private static func storedFormat(_ request: Request, _ verified: ImageVerification.Verified) -> DiskFormat
    {
        if let asked = request.format { return asked }
        return verified.format == .raw ? .raw : .qcow2
    }

    private static func finished(
        _ image: Image, _ verified: ImageVerification.Verified, _ format: DiskFormat, _ placed: FileStamp
    ) -> Image {
        var image = image
        image.state = .ready
        image.format = format
        image.virtualSizeBytes = verified.virtualSize
        image.sizeBytes = placed.allocated
        image.checksum = verified.checksum.description
        return image
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try transaction.removeImage(request.image.id, operation: operation)
    }
}
