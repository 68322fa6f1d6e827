// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Testing
import VctlAPI

@testable import VctlCore

/// `Schemas/inventory.sql` is for people, and for tools that read a database file; the migrations are the
/// truth. `make schemas` writes the file again.
@Suite("Schemas/inventory.sql is what the migrations make")
struct InventorySchemaTests {
    static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Schemas/inventory.sql")

    @Test func codeAndFileAreTheSame() async throws {
        let schema = try await Self.schemaOfANewInventory()
        if ProcessInfo.processInfo.environment["VCTL_REGENERATE"] == "1" {
            try Data(schema.utf8).write(to: Self.file)
        }
        let written = String(decoding: try Data(contentsOf: Self.file), as: UTF8.self)
        #expect(written == schema, "the migrations changed: run `make schemas` and review the difference")
    }

    /// The file is SQL that a database accepts, and makes the same tables of.
    @Test func fileMakesTheSameTables() throws {
        let written = String(decoding: try Data(contentsOf: Self.file), as: UTF8.self)
        let queue = try DatabaseQueue()
        try queue.write { db in try db.execute(sql: written) }
        #expect(try queue.read(Self.dump) == written)
    }

    private static func schemaOfANewInventory() async throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "vctl-schema-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let inventory = try Inventory(
            path: folder.appending(path: "inventory.sqlite").path, instance: ObjectID())
        let schema = try await inventory.read(dump)
        try inventory.close()
        return schema
    }

    /// Every table with its indexes, by name, as SQLite keeps them.
    @Sendable private static func dump(_ db: Database) throws -> String {
        let statements = try String.fetchAll(
            db,
            sql: """
                SELECT sql FROM sqlite_master
                WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND tbl_name <> 'grdb_migrations'
                ORDER BY tbl_name, type = 'index', name
                """)
        let heading = """
            -- SPDX-License-Identifier: Apache-2.0
            -- The inventory of vctld, as its migrations make it. Written by `make schemas`; do not edit.

            """
        return heading + statements.map { "\n\($0);\n" }.joined()
    }
}
