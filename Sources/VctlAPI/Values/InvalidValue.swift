// SPDX-License-Identifier: Apache-2.0

/// A value that a checked type refuses, with the rule that it breaks.
public struct InvalidValue: Error, Hashable, Sendable, CustomStringConvertible {
    /// The refused text, shortened and with control characters escaped, so that it can be shown.
    public let value: String
    /// The broken rule, as a sentence without a full stop.
    public let problem: String

    /// - Parameters:
    ///   - value: the refused text, of any length and content.
    ///   - problem: the broken rule.
    public init(value: String, problem: String) {
        self.value = shown(value)
        self.problem = problem
    }

    public var description: String { "\"\(value)\": \(problem)" }
}

/// Text from outside, made fit for a terminal and a log line: control characters escaped, at most `limit`
/// characters.
public func shown(_ text: String, limit: Int = 80) -> String {
    var result = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        guard index < limit else { return result + "…" }
        if isHarmless(scalar) {
            result.unicodeScalars.append(scalar)
        } else {
            result += "\\u{\(String(scalar.value, radix: 16))}"
        }
    }
    return result
}

/// C0, DEL and C1 drive terminals; the bidirectional controls reorder what a reader sees.
private func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
    default: true
    }
}
