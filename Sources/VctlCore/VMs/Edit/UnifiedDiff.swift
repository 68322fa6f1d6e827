// SPDX-License-Identifier: Apache-2.0

/// What two texts differ in, line by line, in the form that `diff -u` prints.
enum UnifiedDiff {
    private enum Line: Equatable {
        case same(String), removed(String), added(String)

        var isChange: Bool { if case .same = self { false } else { true } }

        var text: String {
            switch self {
            case .same(let text): " " + text
            case .removed(let text): "-" + text
            case .added(let text): "+" + text
            }
        }
    }

    /// The differences with so many lines around them; empty where there are none.
    static func text(_ old: String, _ new: String, context: Int = 3) -> String {
        let lines = merged(split(old), split(new))
        return hunks(lines, context).map { hunk(lines, $0) }.joined()
    }

    private static func split(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Both texts in one, each line with where it belongs.
    private static func merged(_ old: [String], _ new: [String]) -> [Line] {
        let difference = new.difference(from: old)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var lines: [Line] = []
        var (left, right) = (0, 0)
        while left < old.count || right < new.count {
            if removed.contains(left) {
                lines.append(.removed(old[left]))
                left += 1
            } else if added.contains(right) {
                lines.append(.added(new[right]))
                right += 1
            } else {
                lines.append(.same(old[left]))
                (left, right) = (left + 1, right + 1)
            }
        }
        return lines
    }

    /// The ranges of lines to show: changes with their surroundings, joined where these meet.
    private static func hunks(_ lines: [Line], _ context: Int) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for index in lines.indices where lines[index].isChange {
            let range = max(0, index - context)..<min(lines.count, index + context + 1)
            if let last = ranges.last, last.upperBound >= range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
            } else {
                ranges.append(range)
            }
        }
        return ranges
    }

    private static func hunk(_ lines: [Line], _ range: Range<Int>) -> String {
        func count(_ part: ArraySlice<Line>, of isCounted: (Line) -> Bool) -> Int {
            part.count(where: isCounted)
        }
        let isOld = { (line: Line) in if case .added = line { false } else { true } }
        let isNew = { (line: Line) in if case .removed = line { false } else { true } }
        let before = lines[..<range.lowerBound]
        let inside = lines[range]
        let old = "\(count(before, of: isOld) + 1),\(count(inside, of: isOld))"
        let new = "\(count(before, of: isNew) + 1),\(count(inside, of: isNew))"
        return "@@ -\(old) +\(new) @@\n" + inside.map { $0.text + "\n" }.joined()
    }
}
