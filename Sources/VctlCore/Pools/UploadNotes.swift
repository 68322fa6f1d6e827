// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VctlAPI

/// Which files are being received into pools, so that those of a daemon that died do not stay there.
struct UploadNotes: Sendable {
    let state: StateDirectory

    private var folder: String { "\(state.path)/uploads" }

    /// Before the file is made.
    /// - Parameter volume: its id is a part of its name.
    func begin(_ volume: NewVolume) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try DurableFile.write(Array(volume.path.utf8), to: "\(folder)/\(volume.id)")
    }

    /// Once an operation has the file, or it is gone.
    func end(_ id: ObjectID) throws { try DurableFile.remove("\(folder)/\(id)") }

    /// What is being received, or was when a daemon died.
    func all() -> [ObjectID] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap { ObjectID($0) }
    }

    /// Removes what was received for no operation. It may wait for a server that does not answer.
    /// - Parameter notes: which; none of them is being received now.
    func sweep(_ notes: [ObjectID], _ inventory: Inventory) async throws {
        for id in notes {
            guard let bytes = FileManager.default.contents(atPath: "\(folder)/\(id)") else { continue }
            let (name, path) = (id.rawValue, String(decoding: bytes, as: UTF8.self))
            let isTaken = try await inventory.read { db in
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM operation WHERE instr(request, ?) > 0)",
                    arguments: [name]) ?? false
            }
            // Nothing but what has a minted name of that very upload.
            if !isTaken, path.hasSuffix("/\(VolumeFiles.unfinished)\(id)") {
                try await Blocking.run { try DurableFile.remove(path) }
            }
            try end(id)
        }
    }
}
