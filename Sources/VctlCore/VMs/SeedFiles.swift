// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// A VM's seed on disk: the texts, and the image made of them, in a folder of its own under `STATE/seeds`.
struct SeedFiles: Sendable {
    let state: StateDirectory

    init(_ state: StateDirectory) { self.state = state }

    func image(_ vm: ObjectID) -> String { "\(state.seedDirectory(vm))/seed.iso" }

    /// Keeps the texts before the request is accepted: they can hold secrets, which no stored request may.
    func keep(_ seed: Seed, for vm: ObjectID, accepted: Bool) throws {
        let directory = state.seedDirectory(vm)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        if !accepted { try DurableFile.write([], to: "\(directory)/unaccepted") }
        for file in seed.files {
            try DurableFile.write(Array(file.text.utf8), to: "\(directory)/\(file.name)")
        }
    }

    /// Makes the image of the kept texts. A running guest keeps the one it has open.
    func build(_ vm: ObjectID) async throws {
        let directory = state.seedDirectory(vm)
        guard let seed = try kept(vm) else {
            throw Problem(.internalError, "the texts of the seed are gone from \(directory)")
        }
        try await seed.write(to: image(vm))
        try DurableFile.remove("\(directory)/unaccepted")
    }

    /// The kept texts; `nil` when the VM has none.
    func kept(_ vm: ObjectID) throws -> Seed? {
        let directory = state.seedDirectory(vm)
        func text(_ name: String) -> String? {
            FileManager.default.contents(atPath: "\(directory)/\(name)").map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        guard let user = text("user-data"), let meta = text("meta-data") else { return nil }
        var seed = Seed(userData: user, metaData: meta, networkConfig: text("network-config"))
        seed.vendorData = text("vendor-data")
        return seed
    }

    func remove(_ vm: ObjectID) throws {
        let directory = state.seedDirectory(vm)
        guard FileManager.default.fileExists(atPath: directory) else { return }
        try FileManager.default.removeItem(atPath: directory)
    }

    /// Removes what was kept for requests that were never accepted: the daemon died before their commit.
    func sweep(known: Set<ObjectID>) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(state.path)/seeds")) ?? []
        for name in names {
            guard let id = ObjectID(name), !known.contains(id),
                FileManager.default.fileExists(atPath: "\(state.seedDirectory(id))/unaccepted")
            else { continue }
            try? remove(id)
        }
    }
}
