// SPDX-License-Identifier: Apache-2.0

/// Text in the language of manual pages (man(7)).
enum Roff {
    /// Running text, as one or more lines.
    static func text(_ text: String) -> String {
        text.split(separator: "\n").map { line in
            let first = line.first == "." || line.first == "'" ? "\\&" : ""
            return first + escaped(String(line), literal: false)
        }.joined(separator: "\n")
    }

    /// What is typed as it is, in bold.
    static func bold(_ text: String) -> String { "\\fB\(escaped(text, literal: true))\\fR" }
    /// What something else is put for, in italics.
    static func italic(_ text: String) -> String { "\\fI\(escaped(text, literal: true))\\fR" }

    /// Command lines, one below the other.
    static func example(_ lines: [String]) -> String {
        ".EX\n" + lines.map { "    " + escaped($0, literal: true) + "\n" }.joined() + ".EE\n"
    }

    /// The heading of a section.
    static func section(_ title: String) -> String { ".SH \(title.uppercased())\n" }

    /// An entry of a list: what, and behind it the explanation.
    static func entry(_ term: String, _ explanation: String) -> String { ".TP\n\(term)\n\(explanation)\n" }

    /// - Parameter literal: hyphens and quotes are those of a keyboard, so that a copied line works.
    private static func escaped(_ text: String, literal: Bool) -> String {
        var result = ""
        var before: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\e"
            case "-" where literal || before == "-" || before == " ": result += "\\-"
            case "'" where literal: result += "\\(aq"
            case "`": result += "\\(ga"
            case "^": result += "\\(ha"
            case "~": result += "\\(ti"
            case _ where scalar.value < 0x80: result.unicodeScalars.append(scalar)
            default: result += "\\[u\(hex(scalar.value))]"
            }
            before = scalar
        }
        return result
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
