// SPDX-License-Identifier: Apache-2.0

/// A JSON Schema (draft 2020-12, as OpenAPI 3.1 uses it) as a value, as far as this API needs one; encodes to
/// its JSON form.
public struct Schema: Hashable, Sendable, Encodable {
    public var type: String?
    public var format: String?
    public var pattern: String?
    public var minLength: Int?
    public var maxLength: Int?
    public var minimum: Int64?
    public var maximum: Int64?
    public var values: [String]?
    public var items: Items?
    public var maxItems: Int?
    public var properties: [Property]?
    public var additional: Items?
    /// What the names of additional properties look like.
    public var keyPattern: String?
    public var maxProperties: Int?
    public var closed: Bool
    public var reference: String?
    public var writeOnly: Bool
    public var nullable: Bool
    public var summary: String?

    /// A boxed schema: what a list or a map holds.
    public final class Items: Hashable, Sendable {
        /// The schema of one element.
        public let schema: Schema
        /// Boxes a schema.
        public init(_ schema: Schema) { self.schema = schema }
        public static func == (left: Items, right: Items) -> Bool { left.schema == right.schema }
        public func hash(into hasher: inout Hasher) { hasher.combine(schema) }
    }

    /// One property of an object.
    public struct Property: Hashable, Sendable {
        /// The key in JSON.
        public let name: String
        /// What stands there.
        public let schema: Schema
        /// Whether it is always there.
        public let required: Bool
    }

    /// A schema of the given parts; all others are absent.
    public init(
        type: String? = nil, format: String? = nil, pattern: String? = nil, minLength: Int? = nil,
        maxLength: Int? = nil, minimum: Int64? = nil, maximum: Int64? = nil, values: [String]? = nil,
        items: Schema? = nil, properties: [Property]? = nil, additional: Schema? = nil,
        reference: String? = nil, writeOnly: Bool = false
    ) {
        self.type = type
        self.format = format
        self.pattern = pattern
        self.minLength = minLength
        self.maxLength = maxLength
        self.minimum = minimum
        self.maximum = maximum
        self.values = values
        self.items = items.map(Items.init)
        self.properties = properties
        self.additional = additional.map(Items.init)
        self.closed = properties != nil
        self.reference = reference
        self.writeOnly = writeOnly
        self.nullable = false
        self.summary = nil
    }
}

extension Schema {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        if let reference {
            try container.encode("#/components/schemas/\(reference)", forKey: Key("$ref"))
            return
        }
        try encodeType(into: &container)
        try container.encodeIfPresent(format, forKey: Key("format"))
        try container.encodeIfPresent(pattern, forKey: Key("pattern"))
        try container.encodeIfPresent(minLength, forKey: Key("minLength"))
        try container.encodeIfPresent(maxLength, forKey: Key("maxLength"))
        try container.encodeIfPresent(minimum, forKey: Key("minimum"))
        try container.encodeIfPresent(maximum, forKey: Key("maximum"))
        let words = values.map { values in values.map(Optional.some) + (nullable ? [nil] : []) }
        try container.encodeIfPresent(words, forKey: Key("enum"))
        try container.encodeIfPresent(items?.schema, forKey: Key("items"))
        try container.encodeIfPresent(maxItems, forKey: Key("maxItems"))
        try container.encodeIfPresent(summary, forKey: Key("description"))
        if writeOnly { try container.encode(true, forKey: Key("writeOnly")) }
        try encodeProperties(into: &container)
    }

    private func encodeType(into container: inout KeyedEncodingContainer<Key>) throws {
        guard let type else { return }
        if nullable {
            try container.encode([type, "null"], forKey: Key("type"))
        } else {
            try container.encode(type, forKey: Key("type"))
        }
    }

    private func encodeProperties(into container: inout KeyedEncodingContainer<Key>) throws {
        if let additional {
            try container.encode(additional.schema, forKey: Key("additionalProperties"))
        }
        if let keyPattern { try container.encode(["pattern": keyPattern], forKey: Key("propertyNames")) }
        try container.encodeIfPresent(maxProperties, forKey: Key("maxProperties"))
        guard let properties else { return }
        var nested = container.nestedContainer(keyedBy: Key.self, forKey: Key("properties"))
        for property in properties { try nested.encode(property.schema, forKey: Key(property.name)) }
        let required = properties.filter(\.required).map(\.name)
        if !required.isEmpty { try container.encode(required, forKey: Key("required")) }
        if closed { try container.encode(false, forKey: Key("additionalProperties")) }
    }
}
