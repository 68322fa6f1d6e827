// SPDX-License-Identifier: Apache-2.0

/// A JSON value as it was sent: numbers keep their digits, so that nothing is rounded before it is checked.
indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// What it is, in words for an error.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// Where and why a text is no JSON.
struct JSONSyntaxError: Error, CustomStringConvertible {
    /// The broken rule, without a full stop.
    var problem: String
    /// From 1.
    var line: Int
    /// In bytes, from 1.
    var column: Int

    var description: String { "\(problem) (line \(line), column \(column))" }
}
