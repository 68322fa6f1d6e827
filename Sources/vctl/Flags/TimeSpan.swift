// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// A span of time: `500ms`, `60s`, `5m`, `1h30m`, `2d`; a bare number is seconds.
struct TimeSpan: Hashable, Sendable {
    /// Milliseconds, zero or more, less than a thousand years.
    let milliseconds: Int64

    static let maximum: Int64 = 1000 * 366 * 86_400_000

    var seconds: Double { Double(milliseconds) / 1000 }
    /// Whole seconds, rounded up, so that a short grace is not none.
    var wholeSeconds: Int { Int((milliseconds + 999) / 1000) }
    var deadline: Deadline { .after(seconds: seconds) }

    init(_ text: String) throws(InvalidValue) {
        var rest = text[...]
        var total: Int64 = 0
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let number = Int64(digits), let factor = Self.factor(unit),
                !unit.isEmpty || digits.count == text.count
            else {
                throw InvalidValue(value: text, problem: "this is no time; write 500ms, 60s, 5m or 1h30m")
            }
            let (product, overflow) = number.multipliedReportingOverflow(by: factor)
            guard !overflow, product <= Self.maximum, total + product <= Self.maximum else {
                throw InvalidValue(value: text, problem: "this is more than a thousand years")
            }
            total += product
        } while !rest.isEmpty
        milliseconds = total
    }

    private static func factor(_ unit: Substring) -> Int64? {
        switch unit {
        case "ms": 1
        case "", "s": 1000
        case "m": 60_000
        case "h": 3_600_000
        case "d": 86_400_000
        default: nil
        }
    }
}
