// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Colours, for people at a terminal. They repeat what the words say, and never say anything alone.
enum Tint: String {
    case good = "32"
    case waiting = "33"
    case bad = "31"
    case quiet = "2"
    case strong = "1"

    /// The text in this colour.
    func paint(_ text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }

    /// Whether a stream takes colours: a terminal that has some, and nobody who does not want them.
    static func isWanted(_ isTerminal: Bool) -> Bool {
        guard isTerminal, getenv("NO_COLOR").map({ $0[0] == 0 }) ?? true else { return false }
        return getenv("TERM").map { strcmp($0, "dumb") != 0 } ?? false
    }

    /// What a state, a status or an outcome looks like.
    init?(state: String) {
        switch state {
        case "running", "ready", "succeeded", "active", "ok", "accepted": self = .good
        case "paused", "suspended", "pending", "cancelling", "uploading", "importing", "deleting", "degraded":
            self = .waiting
        case "crashed", "failed", "stuck", "missing", "unknown", "refused", "broken", "error": self = .bad
        case "stopped", "cancelled", "inactive": self = .quiet
        default: return nil
        }
    }

    /// A line for people, with its first word coloured where that says what kind of line it is.
    static func line(_ line: String) -> String {
        let kinds: [(String, Tint)] = [("error:", .bad), ("warning:", .waiting), ("hint:", .good)]
        guard let (word, tint) = kinds.first(where: { line.hasPrefix($0.0) }) else { return line }
        return tint.paint(word) + line.dropFirst(word.count)
    }
}
