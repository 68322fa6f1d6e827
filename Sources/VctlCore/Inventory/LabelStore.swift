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
        problems(count: labels.count) + problems(patch: labels)
    }

    /// Problems with the keys and values of a patch, whatever it is a patch of.
    static func problems(patch: [String: String?]) -> [FieldProblem] {
        patch.sorted(by: { $0.key < $1.key }).flatMap { key, value in
            keyProblems(key) + TextRules.problems("labels.\(shown(key))", value, Limits.labelValue)
        }
    }

    /// The problem with the number of labels that a patch leaves.
    static func problems(count: Int) -> [FieldProblem] {
        count <= Limits.labels ? [] : [FieldProblem("labels", "at most \(Limits.labels) labels")]
    }

    private static func keyProblems(_ key: String) -> [FieldProblem] {
        guard !isKey(key) else { return [] }
        let rule = "a label's key is 1 to \(Limits.labelKey) letters, digits, '.', '_', '-' or '/'"
        return [FieldProblem("labels.\(shown(key))", rule)]
    }

    private static func isKey(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= Limits.labelKey
            && key.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                    || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D || $0 == 0x2F
            }
    }
}
