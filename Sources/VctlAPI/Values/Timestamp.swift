// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// A moment, in JSON as RFC 3339 in UTC with milliseconds: `2026-01-31T08:15:00.250Z`.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public let milliseconds: Int64

    /// From milliseconds since 1970.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// From a date, cut to milliseconds.
    public init(_ date: Date) { milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded(.down)) }

    /// The same moment as Foundation's type.
    public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    /// This moment by the system's clock.
    public static var now: Timestamp { Timestamp(Date()) }

    public var description: String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }
}

extension Timestamp: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        let fractional = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        guard let date = (try? fractional.parse(text)) ?? (try? Date.ISO8601FormatStyle().parse(text)) else {
            throw InvalidValue(value: text, problem: "this is no RFC 3339 time such as 2026-01-31T08:15:00Z")
        }
        // Half a millisecond keeps a parsed fraction from being cut to the one below it.
        self.init(milliseconds: Int64((date.timeIntervalSince1970 * 1000 + 0.5).rounded(.down)))
    }
    public static var schema: Schema { Schema(type: "string", format: "date-time") }
    public static var example: Timestamp { Timestamp(milliseconds: 1_769_847_300_250) }
}
