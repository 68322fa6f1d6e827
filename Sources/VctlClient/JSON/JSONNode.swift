// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A JSON value that keeps the order of its members and the spelling of its numbers. For showing replies: it
/// reads a list of a thousand objects in a few milliseconds, and needs to know no type.
public enum JSONNode: Hashable, Sendable {
    case null
    case bool(Bool)
    /// As it was written.
    case number(String)
    case string(String)
    case array([JSONNode])
    case object([Member])

    /// A name and its value.
    public struct Member: Hashable, Sendable {
        public let name: String
        public let value: JSONNode
        public init(name: String, value: JSONNode) {
            self.name = name
            self.value = value
        }
    }

    /// Reads a JSON text.
    /// - Throws: ``ClientError/malformed(_:)``.
    public init(parsing bytes: [UInt8]) throws {
        self = try bytes.withUnsafeBytes { buffer in
            var parser = JSONParser(buffer)
            return try parser.document()
        }
    }

    /// The elements of a JSON array, each with the bytes that it was read from.
    /// - Throws: ``ClientError/malformed(_:)`` where the text is no array.
    public static func elements(of bytes: [UInt8]) throws -> [(node: JSONNode, range: Range<Int>)] {
        try bytes.withUnsafeBytes { buffer in
            var parser = JSONParser(buffer)
            return try parser.elements()
        }
    }

    /// The member of that name; `nil` where there is none, or this is no object, or it is `null`.
    public subscript(name: String) -> JSONNode? {
        guard case .object(let members) = self else { return nil }
        guard let value = members.first(where: { $0.name == name })?.value, value != .null else { return nil }
        return value
    }

    /// The elements of an array; empty for everything else.
    public var elements: [JSONNode] {
        if case .array(let elements) = self { elements } else { [] }
    }

    /// The members of an object; empty for everything else.
    public var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }

    /// A string, number or truth value as text.
    public var text: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    /// A whole number.
    public var integer: Int64? {
        if case .number(let text) = self { Int64(text) } else { nil }
    }

    /// A truth value.
    public var truth: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }
}
