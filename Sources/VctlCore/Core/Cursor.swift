// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Cursors of pages.
enum Cursor {
    static func number(_ text: String) throws -> Int64 {
        guard let number = Int64(text) else {
            throw Problem(
                .requestInvalid, "the cursor is not one of this list",
                errors: [FieldProblem("after", "take it from the Link header of the page before")])
        }
        return number
    }
}

/// The `fields` parameter: SQLite cuts the stored documents, so that a long list is never decoded.
enum FieldFilter {
    static func array(_ documents: [String], _ fields: [String]?, _ db: Database) throws -> String {
        guard let fields else { return "[" + documents.joined(separator: ",") + "]" }
        let statement = try db.makeStatement(sql: "SELECT \(expression(fields, "?1"))")
        let cut = try documents.map { try String.fetchOne(statement, arguments: [$0]) ?? "{}" }
        return "[" + cut.joined(separator: ",") + "]"
    }

    /// SQL that gives a document with only these fields; absent ones stay absent.
    static func expression(_ fields: [String], _ document: String) -> String {
        let pairs = fields.filter(isPlain).map { "'\($0)', \(document) -> '$.\($0)'" }.joined(separator: ", ")
        return "json_patch('{}', json_object(\(pairs)))"
    }

    /// Checks the names against those that the endpoint's objects have.
    static func check(_ fields: [String], known: Set<String>) throws {
        let unknown = fields.filter { !known.contains($0) }
        guard unknown.isEmpty else {
            throw Problem(
                .requestInvalid, "unknown fields: \(unknown.map { shown($0) }.joined(separator: ", "))",
                errors: unknown.map {
                    FieldProblem(
                        "fields", "\(shown($0)) is none of: \(known.sorted().joined(separator: ", "))")
                })
        }
    }

    private static func isPlain(_ field: String) -> Bool {
        !field.isEmpty && field.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
    }
}
