// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Deletes an image, and its file where we made it.
struct ImageDelete: OperationKind {
    static let name = "image.delete"

    /// The image as it was when the request was accepted.
    struct Request: Codable, Sendable {
        var image: Image
        var path: String?
    }

    let state: StateDirectory
    let readers: FileReaders

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let image = request.image
        try await journal.step("readers") { try await refuseRead(request) }
        _ = try await journal.step("forget", undo: { try restore(request) }) { [state] in
            try state.forget(.image, image.id)
            return true
        }
        try journal.pointOfNoReturn()
        _ = try await journal.step("remove") {
            try await Blocking.run { try removeFiles(request) }
            return true
        }
        return Outcome(image.reference) { [operation = journal.operation] transaction in
            try transaction.removeImage(image.id, operation: operation)
        }
    }

    private func restore(_ request: Request) throws {
        guard let path = request.path else { return }
        try state.keep(request.image, path: path)
    }

    private func removeFiles(_ request: Request) throws {
        let id = request.image.id
        if let path = ownFile(request) { try DurableFile.remove(path) }
        if request.image.state == .uploading { try DurableFile.remove(state.incoming(id)) }
    }

    /// Elsewhere it would be somebody else's file.
    private func ownFile(_ request: Request) -> String? {
        let minted = [DiskFormat.qcow2, .raw].map { state.image(request.image.id, $0) }
        return request.path.flatMap { minted.contains($0) ? $0 : nil }
    }

    /// - Throws: ``Problem`` `image.inUse` where something reads from the file that would go, whoever made
    ///   it; `libvirt.unavailable` where that cannot be found out.
    func refuseRead(_ request: Request) async throws {
        guard let path = ownFile(request), let reader = try await readers.first(of: [path]) else { return }
        throw Problem(
            .imageInUse, "image \(request.image.name) is read by \(reader.description)", hint: reader.hint)
    }

    /// A cancel that came when the file was gone already leaves an image without one, and says so.
    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        guard request.image.state == .ready, let path = request.path, FileStamp(path: path) == nil else {
            return
        }
        var image = request.image
        image.state = .missing
        try transaction.update(image, operation: operation)
    }
}
