// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VctlAPI

/// A profile as stored.
struct ProfileRow: Sendable {
    let revision: Int64
    let document: Profile

    init(_ row: Row) throws {
        revision = row["revision"]
        document = try JSON.value(Profile.self, row["document"])
    }

    var etag: String { "\"\(revision)\"" }
}

extension Profile {
    var reference: ObjectReference { ObjectReference(kind: .profile, id: id, name: name.rawValue) }
}

/// Reading profiles.
enum ProfileStore {
    static func find(_ db: Database, _ reference: Reference) throws -> ProfileRow? {
        let column = if case .id = reference { "id" } else { "name" }
        let sql = "SELECT revision, document FROM profile WHERE \(column) = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [reference.description]).map(
            ProfileRow.init)
    }

    /// - Throws: ``Problem`` `profile.notFound`.
    static func get(_ db: Database, _ reference: Reference) throws -> ProfileRow {
        guard let row = try find(db, reference) else {
            throw Problem(
                .profileNotFound, "there is no profile \(shown(reference.description))",
                hint: "vctl profile list")
        }
        return row
    }

    /// A page of profiles by name.
    static func page(_ db: Database, _ query: ListQuery) throws -> (rows: [ProfileRow], next: String?) {
        let limit = query.limit ?? Int.max - 1
        let label = LabelFilter.condition(.profile, query.labels)
        let sql = """
            SELECT revision, document FROM profile
            WHERE (? IS NULL OR profile.name > ?) AND \(label.sql) ORDER BY profile.name LIMIT ?
            """
        let arguments: StatementArguments =
            [query.after, query.after] + StatementArguments(label.arguments) + [limit + 1]
        let rows = try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments)
        let found = try rows.prefix(limit).map { try ProfileRow($0) }
        return (found, rows.count > limit ? found.last?.document.name.rawValue : nil)
    }
}

extension Transaction {
    /// Adds a profile. That its name is free is for the database to say.
    /// - Throws: ``Problem`` `profile.exists`.
    func insert(_ profile: Profile) throws {
        try naming(profile.name) {
            try execute(
                "INSERT INTO profile(id, name, revision, document) VALUES (?, ?, 1, ?)",
                [profile.id.rawValue, profile.name.rawValue, try JSON.text(profile)])
        }
        try setLabels(.profile, profile.id, profile.labels)
        try emit("profile.created", profile.reference)
    }

    /// Makes the stored profile equal to `profile`; other texts for cloud-init are a change, too.
    func update(_ profile: Profile, newTexts: Bool) throws {
        let old = try ProfileStore.get(db, .id(profile.id)).document
        guard old != profile || newTexts else { return }
        try naming(profile.name) {
            try execute(
                "UPDATE profile SET name = ?, document = ?, revision = revision + 1 WHERE id = ?",
                [profile.name.rawValue, try JSON.text(profile), profile.id.rawValue])
        }
        if old.labels != profile.labels { try setLabels(.profile, profile.id, profile.labels) }
        try emit("profile.changed", profile.reference)
    }

    func removeProfile(_ profile: Profile) throws {
        try execute("DELETE FROM profile WHERE id = ?", [profile.id.rawValue])
        try setLabels(.profile, profile.id, [:])
        try emit("profile.deleted", profile.reference)
    }

    private func naming(_ name: Name, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            throw Problem(
                .profileExists, "there is a profile \(name) already", hint: "vctl profile show \(name)")
        }
    }
}

/// What a profile tells cloud-init. It can hold passwords, so it is in a file that only root can read, and in
/// no row.
struct ProfileTexts: Sendable {
    var cloudInit: Secret?
    var networkConfig: Secret?

    var isEmpty: Bool { cloudInit == nil && networkConfig == nil }

    /// Changed as a patch says, where the empty text takes one away.
    func changed(_ newCloudInit: Secret?, _ newNetworkConfig: Secret?) -> ProfileTexts {
        func next(_ old: Secret?, _ new: Secret?) -> Secret? {
            guard let new else { return old }
            return new.reveal().isEmpty ? nil : new
        }
        return ProfileTexts(
            cloudInit: next(cloudInit, newCloudInit), networkConfig: next(networkConfig, newNetworkConfig))
    }
}

extension StateDirectory {
    private func texts(_ profile: ObjectID) -> String { secret("profile-\(profile).json") }

    func texts(of profile: ObjectID) throws -> ProfileTexts {
        guard let data = FileManager.default.contents(atPath: texts(profile)) else { return ProfileTexts() }
        let known = try JSON.value([String: String].self, String(decoding: data, as: UTF8.self))
        return ProfileTexts(
            cloudInit: known["cloudInit"].map { Secret($0) },
            networkConfig: known["networkConfig"].map { Secret($0) })
    }

    func keep(_ new: ProfileTexts, of profile: ObjectID) throws {
        guard !new.isEmpty else { return try DurableFile.remove(texts(profile)) }
        let known = [
            "cloudInit": new.cloudInit?.reveal(), "networkConfig": new.networkConfig?.reveal(),
        ].compactMapValues { $0 }
        try DurableFile.write(Array(try JSON.text(known).utf8), to: texts(profile))
    }
}

/// Makes the rows of profiles again from `objects/`, when the database was lost.
enum ProfileRecovery {
    /// - Returns: files that cannot be read, and are left where they are.
    static func restore(_ state: StateDirectory, _ transaction: Transaction) throws -> [String] {
        let kept = state.kept(.profile, Profile.self)
        for var profile in kept.values where try ProfileStore.find(transaction.db, .id(profile.id)) == nil {
            if try ProfileStore.find(transaction.db, .name(profile.name.rawValue)) != nil {
                profile.name = try Name("\(profile.name.rawValue.prefix(54))-\(profile.id.short)")
            }
            try transaction.insert(profile)
        }
        return kept.unreadable
    }

    /// Removes files of profiles that are not there: the daemon died before their commit, or just behind it.
    /// For the start of the daemon, before requests are served.
    static func sweep(_ state: StateDirectory, _ inventory: Inventory) async throws {
        let known = Set(try await inventory.read { try String.fetchAll($0, sql: "SELECT id FROM profile") })
        for profile in state.kept(.profile, Profile.self).values where !known.contains(profile.id.rawValue) {
            try state.forget(.profile, profile.id)
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(state.path)/secrets")) ?? []
        for name in names where name.hasPrefix("profile-") {
            // One whose file in `objects/` cannot be read is left as it is, with its texts.
            guard let id = ObjectID(String(name.dropFirst(8).prefix(36))), !known.contains(id.rawValue),
                !FileManager.default.fileExists(atPath: state.object(.profile, id))
            else { continue }
            try state.keep(ProfileTexts(), of: id)
        }
    }
}
