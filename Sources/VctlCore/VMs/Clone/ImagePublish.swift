// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Makes an image of a VM's disk: a copy that stands alone.
struct ImagePublish: OperationKind {
    static let name = "image.publish"

    /// Everything decided and minted before it was accepted.
    struct Request: Codable, Sendable {
        var image: Image
        var source: ObjectReference
        /// The disk, and the partial file of the image.
        var disk: ClonePlan.Disk
        var live: Bool
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let copies = DiskCopies(
            environment: environment, source: request.source, disks: [request.disk], live: request.live)
        try await copies.run(journal)
        let verification = ImageVerification(
            path: request.disk.volume.path, checksum: nil, declared: .qcow2, limits: ImageLimits())
        let verified = try await journal.step("verify") {
            try await verification.run { journal.progress($0) }
        }
        return try await ImageImport(state: environment.state).settle(request.image, verified, .qcow2, journal)
    }

    func rolledBack(_ request: Request, _ transaction: Transaction, _ operation: ObjectID) throws {
        try transaction.removeImage(request.image.id, operation: operation)
    }
}
