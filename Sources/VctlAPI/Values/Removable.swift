// SPDX-License-Identifier: Apache-2.0

/// A value in a merge patch (RFC 7396), where `null` takes the member away.
public struct Removable<Value: Codable & Hashable & Sendable>: Hashable, Sendable {
    /// The new value; `nil`: there is to be none.
    public let value: Value?

    /// A value, or with `nil` its removal.
    public init(_ value: Value?) { self.value = value }
}

extension Removable: Codable, SchemaProviding {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }

    public static var schema: Schema {
        var schema = SchemaProbe.schema(of: Value.self)
        schema.nullable = true
        return schema
    }

    public static var example: Removable<Value> { Removable(nil) }
}
