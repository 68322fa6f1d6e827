// SPDX-License-Identifier: Apache-2.0

/// Comma-separated values (RFC 4180).
enum CSV {
    /// Records of a heading and rows; each ends with CR LF.
    static func text(headings: [String], rows: [[String]]) -> String {
        ([headings] + rows).map { $0.map(field).joined(separator: ",") + "\r\n" }.joined()
    }

    /// A field, quoted where it must be.
    static func field(_ text: String) -> String {
        let special: (UInt8) -> Bool = { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
        guard text.utf8.contains(where: special) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}
