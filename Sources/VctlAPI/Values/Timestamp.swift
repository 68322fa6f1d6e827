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

    /// Written digit by digit: a list of a thousand VMs has a thousand of them, and a formatter would lose
    /// the last millisecond to rounding.
    public var description: String {
        let days = (milliseconds - Self.positiveRemainder(milliseconds, Self.day)) / Self.day
        let rest = Self.positiveRemainder(milliseconds, Self.day)
        let (year, month, dayOfMonth) = Self.civil(days)
        let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(dayOfMonth, 2))"
        let hours = "\(Self.padded(rest / 3_600_000, 2)):\(Self.padded(rest / 60_000 % 60, 2))"
        return "\(date)T\(hours):\(Self.padded(rest / 1000 % 60, 2)).\(Self.padded(rest % 1000, 3))Z"
    }

    private static let day: Int64 = 86_400_000

    private static func positiveRemainder(_ value: Int64, _ divisor: Int64) -> Int64 {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Year, month and day of a number of days since 1970-01-01 in the proleptic Gregorian calendar. Years
    /// are counted from March, so that the leap day is the last, in eras of 400 years, which are all alike.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted - positiveRemainder(shifted, 146_097)) / 146_097
        let dayOfEra = positiveRemainder(shifted, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }
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
