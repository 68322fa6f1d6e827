// SPDX-License-Identifier: Apache-2.0

/// Ports of TCP or UDP: `80`, `8000-8010`.
public struct PortRange: Hashable, Sendable, CustomStringConvertible {
    /// The lowest, from 1.
    public let first: Int
    /// The highest, to 65535.
    public let last: Int

    /// All from one port to another; `nil` where there are none.
    public init?(_ first: Int, _ last: Int) {
        guard first >= 1, first <= last, last <= 65_535 else { return nil }
        (self.first, self.last) = (first, last)
    }

    /// How many.
    public var count: Int { last - first + 1 }
    /// Whether some port is in both.
    public func overlaps(_ other: PortRange) -> Bool { first <= other.last && other.first <= last }
    public var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}

extension PortRange: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int($0) : nil }
        guard (1...2).contains(parts.count), numbers.count == parts.count, let first = numbers.first,
            let last = numbers.last, let range = PortRange(first, last)
        else {
            throw InvalidValue(value: text, problem: "a port is from 1 to 65535, and a range like 8000-8010")
        }
        self = range
    }
    public static var schema: Schema { Schema(type: "string", pattern: "^[0-9]{1,5}(-[0-9]{1,5})?$") }
    public static var example: PortRange { PortRange(8080, 8080)! }
}
