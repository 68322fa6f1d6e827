// SPDX-License-Identifier: Apache-2.0

/// Words that someone may have meant who wrote another one.
public enum Similar {
    /// The nearest of the known words, the best first: those that differ by a slip or two of the keyboard,
    /// and those that only go on.
    public static func words(to text: String, among known: some Sequence<String>, limit: Int = 3) -> [String]
    {
        let typed = Array(text.lowercased().utf8)
        guard !typed.isEmpty, typed.count <= 64 else { return [] }
        let allowed = max(1, typed.count / 3)
        var found: [(word: String, distance: Int)] = []
        for word in known {
            let other = Array(word.lowercased().utf8)
            if typed.count > 1, other.starts(with: typed) {
                found.append((word, 1))
            } else if abs(other.count - typed.count) <= allowed {
                let distance = distance(typed, other)
                if distance <= allowed, distance < typed.count { found.append((word, distance)) }
            }
        }
        found.sort { $0.distance == $1.distance ? $0.word < $1.word : $0.distance < $1.distance }
        return found.prefix(limit).map(\.word)
    }

    /// How many letters are wrong, missing, too many or swapped with their neighbour.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var row = Array(0...right.count)
        for (i, letter) in left.enumerated() {
            var next = [i + 1]
            for (j, other) in right.enumerated() {
                var best = min(row[j] + (letter == other ? 0 : 1), row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other {
                    best = min(best, before[j - 1] + 1)
                }
                next.append(best)
            }
            before = row
            row = next
        }
        return row[right.count]
    }
}
