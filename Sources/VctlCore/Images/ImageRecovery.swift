// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VctlAPI

/// What `objects/image/UUID.json` holds: everything to make the row again.
struct KeptImage: Codable, Sendable {
    var document: Image
    var path: String
}

extension StateDirectory {
    /// Writes the file from which the row of a ready image can be made again.
    func keep(_ image: Image, path: String) throws {
        var document = image
        document.usedBy = []
        document.operation = nil
        try keep(.image, image.id, KeptImage(document: document, path: path))
    }

    /// The secret file with the URL of a download, as a configuration of curl: a URL can hold a password, and
    /// an argument can be read by everyone on the host.
    func imageURL(_ id: ObjectID) -> String { secret("image-\(id).url") }

    /// What a conversion or a copy has not finished.
    func partialImage(_ id: ObjectID, _ format: DiskFormat) -> String { image(id, format) + ".partial" }
}

/// Makes the rows of images again from `objects/`, when the database was lost.
enum ImageRecovery {
    /// What was found.
    struct Found: Sendable {
        /// Images whose file is where it was are ready; the others are `missing`.
        var images: [KeptImage]
        /// Files that could not be read; they are left where they are.
        var unreadable: [String]
    }

    static func find(_ state: StateDirectory) -> Found {
        let kept = state.kept(.image, KeptImage.self)
        let images = kept.values.map { image in
            var image = image
            image.document.state = FileStamp(path: image.path) == nil ? .missing : .ready
            return image
        }
        return Found(images: images, unreadable: kept.unreadable)
    }

    /// Adds what the inventory does not have. Of two images that claim one name the second is told apart by
    /// its id.
    /// - Returns: how many rows were made.
    static func restore(_ found: Found, _ transaction: Transaction) throws -> Int {
        var made = 0
        for image in found.images where try ImageStore.find(transaction.db, .id(image.document.id)) == nil {
            var document = image.document
            if try ImageStore.find(transaction.db, .name(document.name.rawValue)) != nil {
                document.name = try Name("\(document.name.rawValue.prefix(54))-\(document.id.short)")
            }
            try transaction.insert(document, path: image.path)
            made += 1
        }
        return made
    }

    /// Removes what a lost or half-accepted import left: received bytes, half-written files and URLs of
    /// images that the inventory does not know. Whole images are never touched.
    static func sweep(_ state: StateDirectory, known: Set<ObjectID>) {
        func leftovers(_ directory: String, _ isOurs: (String) -> String?) {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for name in names {
                guard let id = isOurs(name).flatMap({ ObjectID($0) }), !known.contains(id) else { continue }
                try? DurableFile.remove("\(directory)/\(name)")
            }
        }
        leftovers("\(state.path)/incoming") { String($0.prefix(36)) }
        leftovers("\(state.path)/images") { $0.hasSuffix(".partial") ? String($0.prefix(36)) : nil }
        leftovers("\(state.path)/secrets") { name in
            name.hasPrefix("image-") && name.hasSuffix(".url") ? String(name.dropFirst(6).dropLast(4)) : nil
        }
    }

    /// Sweeps by what the inventory knows. For the start of the daemon, before requests are served.
    static func sweep(_ state: StateDirectory, _ inventory: Inventory) async throws {
        let ids = try await inventory.read { try String.fetchAll($0, sql: "SELECT id FROM image") }
        sweep(state, known: Set(ids.compactMap { ObjectID($0) }))
    }

    /// Tells of images whose files went or came back while no daemon looked.
    static func checkFiles(_ inventory: Inventory) async throws {
        try await inventory.write { transaction in
            for row in try ImageStore.page(transaction.db, ListQuery()).rows {
                guard row.state == .ready || row.state == .missing, let path = row.path else { continue }
                var image = row.document
                image.state = FileStamp(path: path) == nil ? .missing : .ready
                try transaction.update(image)
            }
        }
    }
}
