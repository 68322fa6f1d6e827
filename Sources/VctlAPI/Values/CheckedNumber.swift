// SPDX-License-Identifier: Apache-2.0

/// A value that is a whole number in JSON and on the command line, and cannot be out of its bounds.
public protocol CheckedNumber: Codable, Hashable, SchemaProviding, Sendable, CustomStringConvertible {
    /// The number itself.
    var number: Int { get }
    /// The least and the greatest.
    static var range: ClosedRange<Int> { get }
    /// What it has to be, as a sentence without a full stop.
    static var rule: String { get }
    /// - Throws: ``InvalidValue`` when the number breaks the type's rule.
    init(checking number: Int) throws(InvalidValue)
}

extension CheckedNumber {
    /// The number, where it keeps the rule.
    static func checked(_ number: Int) throws(InvalidValue) -> Int {
        guard range.contains(number) else { throw InvalidValue(value: "\(number)", problem: rule) }
        return number
    }

    /// Reads decimal digits.
    /// - Throws: ``InvalidValue`` when they are no number, or break the type's rule.
    public init(_ text: String) throws(InvalidValue) {
        guard let number = Int(text) else { throw InvalidValue(value: text, problem: Self.rule) }
        try self.init(checking: number)
    }

    public var description: String { "\(number)" }

    public init(from decoder: any Decoder) throws {
        let number = try decoder.singleValueContainer().decode(Int.self)
        do {
            try self.init(checking: number)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.problem, underlyingError: error)
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }

    public static var schema: Schema { .whole(range) }
    public static var example: Self { try! Self(checking: range.lowerBound) }
}
