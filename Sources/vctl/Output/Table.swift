// SPDX-License-Identifier: Apache-2.0

/// Rows under headings, two spaces between columns.
enum Table {
    /// What a cell looks like, beyond its text.
    typealias Paint = (_ column: Int, _ text: String) -> Tint?

    /// The text of a table; without rows, nothing but the heading.
    /// - Parameter paint: the colours of cells; `nil` for none at all.
    static func text(
        headings: [String], rows: [[String]], rightAligned: [Bool] = [], paint: Paint? = nil
    ) -> String {
        var widths = headings.map(width)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], width(cell)) }
        }
        var text = ""
        text.reserveCapacity((rows.count + 1) * (widths.reduce(0, +) + 2 * widths.count))
        append(headings, widths, rightAligned, paint.map { _ in { _, _ in .strong } }, to: &text)
        for row in rows { append(row, widths, rightAligned, paint, to: &text) }
        return text
    }

    private static func append(
        _ row: [String], _ widths: [Int], _ right: [Bool], _ paint: Paint?, to text: inout String
    ) {
        for (index, plain) in row.enumerated() {
            let cell = paint?(index, plain)?.paint(plain) ?? plain
            let pad = String(repeating: " ", count: widths[index] - width(plain))
            let isLast = index + 1 == row.count
            if index < right.count, right[index] {
                text += pad + cell
            } else {
                text += isLast ? cell : cell + pad
            }
            text += isLast ? "\n" : "  "
        }
    }

    /// Columns on a terminal; beyond ASCII an approximation: wide East Asian characters and emoji take two.
    static func width(_ text: String) -> Int {
        var count = 0
        for byte in text.utf8 {
            guard byte < 0x80 else { return wideWidth(text) }
            count += 1
        }
        return count
    }

    private static func wideWidth(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { sum, scalar in
            switch scalar.value {
            case 0x0300...0x036F, 0x200B...0x200D, 0xFE00...0xFE0F: sum
            case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
                0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
                sum + 2
            default: sum + 1
            }
        }
    }
}
