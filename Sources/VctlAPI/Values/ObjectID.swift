// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// The UUID of an object, lower-case as libvirt writes it.
public struct ObjectID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// 36 characters, lower-case.
    public let rawValue: String

    /// `nil` when the text is no UUID in the form `8-4-4-4-12`.
    public init?(_ text: String) {
        guard text.utf8.count == 36, let uuid = UUID(uuidString: text) else { return nil }
        rawValue = uuid.uuidString.lowercased()
    }

    /// A new random id (UUID version 4).
    public init() { rawValue = UUID().uuidString.lowercased() }

    public var description: String { rawValue }
    /// The first eight hexadecimal digits, for names of files that people read.
    public var short: String { String(rawValue.prefix(8)) }

    public static func < (left: ObjectID, right: ObjectID) -> Bool { left.rawValue < right.rawValue }
}

extension ObjectID: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        guard let id = ObjectID(text) else { throw InvalidValue(value: text, problem: "this is no UUID") }
        self = id
    }
    public static var schema: Schema { Schema(type: "string", format: "uuid") }
    public static var example: ObjectID { ObjectID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")! }
}
