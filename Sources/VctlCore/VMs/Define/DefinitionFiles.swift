// SPDX-License-Identifier: Apache-2.0
import Foundation
import VctlAPI

/// Definitions that came with requests, until their VMs are there: they can hold secrets, which no stored
/// request may.
struct DefinitionFiles: Sendable {
    private static let (prefix, suffix) = ("vm-", ".xml")

    let state: StateDirectory

    init(_ state: StateDirectory) { self.state = state }

    /// - Returns: its name here, which is another one for each request.
    func keep(_ xml: String, for vm: ObjectID) throws -> String {
        let name = "\(Self.prefix)\(vm)-\(ObjectID().short)\(Self.suffix)"
        try DurableFile.write(Array(xml.utf8), to: state.secret(name))
        return name
    }

    /// - Throws: ``Problem`` when it is gone.
    func text(_ name: String) throws -> String {
        guard let bytes = FileManager.default.contents(atPath: state.secret(name)) else {
            throw Problem(.internalError, "the definition is gone from \(state.secret(name))")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func remove(_ name: String) throws { try DurableFile.remove(state.secret(name)) }

    /// Removes what was kept for requests that were never accepted: the daemon died before their commit.
    func sweep(known: Set<ObjectID>) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: state.secret(""))) ?? []
        for name in names where name.hasPrefix(Self.prefix) && name.hasSuffix(Self.suffix) {
            let id = ObjectID(String(name.dropFirst(Self.prefix.count).prefix(36)))
            if let id, !known.contains(id) { try? remove(name) }
        }
    }
}
