// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// The rules for one line of text that is kept, also in XML.
enum TextRules {
    /// Problems with the text of a field, of which there may be `most` characters.
    static func problems(_ field: String, _ text: String?, _ most: Int) -> [FieldProblem] {
        guard let text else { return [] }
        var problems: [FieldProblem] = []
        if text.unicodeScalars.count > most {
            problems.append(FieldProblem(field, "at most \(most) characters"))
        }
        if !Limits.isPlain(text) {
            problems.append(FieldProblem(field, "no control characters, nor U+FFFE or U+FFFF"))
        }
        return problems
    }
}
