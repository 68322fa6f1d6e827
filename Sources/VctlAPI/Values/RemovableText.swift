// SPDX-License-Identifier: Apache-2.0

/// A text in a merge patch (RFC 7396), where `null` takes the member away; the empty text does the same.
public struct RemovableText: Hashable, Sendable {
    /// The new text; empty: there is to be none.
    public let text: String

    /// A text, or with an empty one its removal.
    public init(_ text: String) { self.text = text }
}

extension RemovableText: Codable, SchemaProviding {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        text = container.decodeNil() ? "" : try container.decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if text.isEmpty { try container.encodeNil() } else { try container.encode(text) }
    }

    public static var schema: Schema {
        var schema = Schema(type: "string")
        schema.nullable = true
        return schema
    }

    public static var example: RemovableText { RemovableText("") }
}
