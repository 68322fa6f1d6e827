// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Whether the inventory was ever compared with libvirt. Until then that a VM is not in it means nothing.
enum Comparison {
    private static let key = "compared"

    static func wasMade(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM meta WHERE key = ?)", arguments: [key])
            ?? false
    }

    /// Notes that it was made.
    static func note(_ transaction: Transaction, at time: Timestamp) throws {
        try transaction.execute("INSERT OR IGNORE INTO meta(key, value) VALUES (?, ?)", [key, "\(time)"])
    }

    /// What to do about a name that is none: the names that were perhaps meant, and where all are.
    static func hint(_ db: Database, _ table: String, _ reference: Reference) throws -> String {
        let list = "vctl \(table) list"
        guard case .name(let name) = reference else { return list }
        let known = try String.fetchAll(db, sql: "SELECT name FROM \(table) ORDER BY name LIMIT 5000")
        let similar = Similar.words(to: name, among: known).map { shown($0) }
        guard !similar.isEmpty else { return list }
        return "did you mean \(similar.joined(separator: " or "))? All: \(list)"
    }

    /// What is said of a VM that is not in the inventory.
    static func missing(_ db: Database, _ reference: Reference) throws -> Problem {
        let name = shown(reference.description)
        guard try wasMade(db) else {
            return Problem(
                .libvirtUnavailable,
                "libvirt has not been read yet, so nobody knows whether there is a VM \(name)",
                hint: "vctl waitready")
        }
        return Problem(.vmNotFound, "there is no VM \(name)", hint: try hint(db, "vm", reference))
    }
}
