// SPDX-License-Identifier: Apache-2.0

/// The name of a link of the host, as the kernel takes it: 1 to 15 characters of `A-Z a-z 0-9 . _ @ + -`,
/// beginning with a letter, a digit or `_`.
public struct LinkName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The text, as typed.
    public let rawValue: String

    /// A checked name.
    /// - Throws: ``InvalidValue`` that says which rule the text breaks.
    public init(_ text: String) throws(InvalidValue) {
        if let problem = Self.problem(with: text) { throw InvalidValue(value: text, problem: problem) }
        rawValue = text
    }

    public var description: String { rawValue }

    public static func < (left: LinkName, right: LinkName) -> Bool { left.rawValue < right.rawValue }

    private static let pattern = "^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,14}$"

    private static func problem(with text: String) -> String? {
        guard let first = text.utf8.first else { return "the name of a link cannot be empty" }
        guard text.utf8.count <= 15 else { return "the name of a link has at most 15 bytes" }
        guard isAlphanumeric(first) || first == 0x5F else {
            return "the name of a link begins with a letter, a digit or '_'"
        }
        guard text.utf8.allSatisfy({ isAlphanumeric($0) || "._@+-".utf8.contains($0) }) else {
            return "the name of a link has only letters, digits, '.', '_', '@', '+' and '-'"
        }
        // Folders of that name in /proc/sys/net stand for all links.
        guard text != "all", text != "default" else { return "the kernel means something else by that name" }
        return nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

extension LinkName: CheckedString {
    public init(checking text: String) throws(InvalidValue) { try self.init(text) }
    public static var schema: Schema {
        Schema(type: "string", pattern: pattern, minLength: 1, maxLength: 15)
    }
    public static var example: LinkName { try! LinkName("tap1") }
}
