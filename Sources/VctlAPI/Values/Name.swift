// SPDX-License-Identifier: Apache-2.0

/// The name of an object: 1 to 63 characters of `A-Z a-z 0-9 . _ -`, beginning with a letter or a digit, and
/// not shaped like a UUID, so that a name and an id can stand in the same place.
public struct Name: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The text, as typed.
    public let rawValue: String

    /// A checked name.
    /// - Throws: ``InvalidValue`` that says which rule the text breaks.
    public init(_ text: String) throws(InvalidValue) {
        if let problem = Name.problem(with: text) {
            throw InvalidValue(value: text, problem: problem)
        }
        rawValue = text
    }

    public var description: String { rawValue }

    public static func < (left: Name, right: Name) -> Bool { left.rawValue < right.rawValue }

    /// The pattern that JSON Schema is told.
    public static let pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"

    private static func problem(with text: String) -> String? {
        guard let first = text.utf8.first else { return "a name cannot be empty" }
        guard text.utf8.count <= 63 else { return "a name has at most 63 characters" }
        guard isAlphanumeric(first) else { return "a name begins with a letter or a digit" }
        guard text.utf8.allSatisfy({ isAlphanumeric($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D }) else {
            return "a name has only letters, digits, '.', '_' and '-'"
        }
        return ObjectID(text) == nil ? nil : "a name cannot look like a UUID"
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

extension Name: CheckedString {
    public init(checking text: String) throws(InvalidValue) { try self.init(text) }
    public static var schema: Schema {
        Schema(type: "string", pattern: pattern, minLength: 1, maxLength: 63)
    }
    public static var example: Name { try! Name("web1") }
}
