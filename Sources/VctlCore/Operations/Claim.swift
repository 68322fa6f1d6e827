// SPDX-License-Identifier: Apache-2.0
import Crypto
import Foundation
import GRDB
import VctlAPI

/// What of an object an operation holds.
enum Aspect: String, Codable, Sendable, CaseIterable {
    case definition, power, disks
}

/// Whether others may hold the same at the same time.
enum ClaimMode: String, Codable, Sendable {
    case shared, exclusive
}

/// A lock as a row: it lives as long as the operation that holds it, whatever happens to the daemon.
struct Claim: Hashable, Sendable {
    var subject: ObjectID
    var aspect: Aspect
    var mode: ClaimMode
    /// What a user calls it, where it is no object of the inventory.
    var name: String?

    /// Everything about the object, for this operation alone.
    static func whole(_ subject: ObjectID) -> [Claim] {
        Aspect.allCases.map { Claim(subject: subject, aspect: $0, mode: .exclusive) }
    }

    /// What is no object of the inventory, such as a file of somebody's, for this operation alone.
    static func named(_ names: some Sequence<String>) -> [Claim] {
        names.map { Claim(subject: ObjectID(hashing: $0), aspect: .disks, mode: .exclusive, name: $0) }
    }

    /// That the VM whose disk a volume is stays off and as it is.
    static func off(_ user: VolumeUser?) -> [Claim] {
        user.map { shared($0.id, .definition, .power, .disks) } ?? []
    }

    /// An operation that holds this of an object, alone or with others.
    static func holder(_ db: Database, of subject: ObjectID, _ aspect: Aspect) throws -> ObjectID? {
        try String.fetchOne(
            db, sql: "SELECT operation FROM claim WHERE subject = ? AND aspect = ? LIMIT 1",
            arguments: [subject.rawValue, aspect.rawValue]
        ).flatMap { ObjectID($0) }
    }

    static func exclusive(_ subject: ObjectID, _ aspects: Aspect...) -> [Claim] {
        aspects.map { Claim(subject: subject, aspect: $0, mode: .exclusive) }
    }

    static func shared(_ subject: ObjectID, _ aspects: Aspect...) -> [Claim] {
        aspects.map { Claim(subject: subject, aspect: $0, mode: .shared) }
    }
}

extension ObjectID {
    /// Always the same for the same text (UUID version 8, RFC 9562).
    init(hashing text: String) {
        var bytes = Array(SHA256.hash(data: Data(text.utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let uuid = bytes.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) }
        self = ObjectID(UUID(uuid: uuid))
    }
}

extension Transaction {
    /// Takes all claims, or throws ``ClaimConflict`` and takes none (the transaction rolls back).
    func take(_ claims: [Claim], for operation: ObjectID, parent: ObjectID?) throws {
        for claim in claims {
            if let holder = try holder(of: claim, besides: [operation] + ancestors(of: parent)) {
                throw ClaimConflict(subject: claim.subject, name: claim.name, holder: holder)
            }
            try execute(
                "INSERT OR REPLACE INTO claim(subject, aspect, mode, operation) VALUES (?, ?, ?, ?)",
                [claim.subject.rawValue, claim.aspect.rawValue, claim.mode.rawValue, operation.rawValue])
        }
    }

    /// The operation, other than those named, that holds what contradicts `claim`.
    private func holder(of claim: Claim, besides own: [ObjectID]) throws -> ObjectID? {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT mode, operation FROM claim WHERE subject = ? AND aspect = ?"),
            arguments: [claim.subject.rawValue, claim.aspect.rawValue])
        let names = Set(own.map(\.rawValue))
        let other = rows.first { row in
            let mode: String = row["mode"]
            return !names.contains(row["operation"])
                && (claim.mode == .exclusive || mode == ClaimMode.exclusive.rawValue)
        }
        return other.flatMap { ObjectID($0["operation"] as String) }
    }

    private func ancestors(of parent: ObjectID?) throws -> [ObjectID] {
        var result: [ObjectID] = []
        var next = parent
        while let id = next, !result.contains(id) {
            result.append(id)
            next = try String.fetchOne(
                db, sql: "SELECT parent FROM operation WHERE id = ?", arguments: [id.rawValue]
            ).flatMap { ObjectID($0) }
        }
        return result
    }

    func releaseClaims(of operation: ObjectID) throws {
        try execute("DELETE FROM claim WHERE operation = ?", [operation.rawValue])
    }
}

/// Somebody else holds what was asked for.
struct ClaimConflict: Error {
    let subject: ObjectID
    /// What a user calls it, where it is no object of the inventory.
    var name: String?
    let holder: ObjectID
}
