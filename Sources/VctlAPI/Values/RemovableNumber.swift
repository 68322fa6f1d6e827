// SPDX-License-Identifier: Apache-2.0

/// A whole number in a merge patch (RFC 7396), where `null` takes the member away.
public struct RemovableNumber: Hashable, Sendable {
    /// The new number; `nil`: there is to be none.
    public let number: Int?

    /// A number, or with `nil` its removal.
    public init(_ number: Int?) { self.number = number }
}

extension RemovableNumber: Codable, SchemaProviding {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        number = container.decodeNil() ? nil : try container.decode(Int.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let number { try container.encode(number) } else { try container.encodeNil() }
    }

    public static var schema: Schema {
        var schema = Int.schema
        schema.nullable = true
        return schema
    }

    public static var example: RemovableNumber { RemovableNumber(nil) }
}
