// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

extension Transaction {
    /// Makes the index of an object's labels equal to `labels`.
    func setLabels(_ kind: ObjectKind, _ id: ObjectID, _ labels: [String: String]) throws {
        try execute("DELETE FROM label WHERE kind = ? AND id = ?", [kind.rawValue, id.rawValue])
        for (key, value) in labels {
            try execute(
                "INSERT INTO label(kind, id, key, value) VALUES (?, ?, ?, ?)",
                [kind.rawValue, id.rawValue, key, value])
        }
    }
}

/// Selecting by labels.
enum LabelFilter {
    /// SQL that holds for rows of `kind` that have all of `labels`.
    static func condition(_ kind: ObjectKind, _ labels: [String: String]) -> (
        sql: String, arguments: [String]
    ) {
        let one = """
            EXISTS (SELECT 1 FROM label WHERE label.kind = '\(kind.rawValue)'
                AND label.id = \(kind.rawValue).id AND label.key = ? AND label.value = ?)
            """
        let pairs = labels.sorted { $0.key < $1.key }
        let sql = pairs.isEmpty ? "1" : Array(repeating: one, count: pairs.count).joined(separator: " AND ")
        return (sql, pairs.flatMap { [$0.key, $0.value] })
    }
}

/// The rules for labels.
enum LabelRules {
    /// Problems with the keys and values of `labels`.
    static func problems(_ labels: [String: String]) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        if labels.count > 64 { problems.append(FieldProblem("labels", "at most 64 labels")) }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            if !isKey(key) {
                let rule = "a label's key is 1 to 63 letters, digits, '.', '_', '-' or '/'"
                problems.append(FieldProblem("labels.\(shown(key))", rule))
            }
            if value.utf8.count > 255
                || value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            {
                problems.append(
                    FieldProblem(
                        "labels.\(shown(key))",
                        "a label's value is at most 255 bytes without control characters"))
            }
        }
        return problems
    }

    private static func isKey(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= 63
            && key.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D || $0 == 0x2F
            }
    }
}
