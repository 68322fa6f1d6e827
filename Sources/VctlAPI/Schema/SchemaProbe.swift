// SPDX-License-Identifier: Apache-2.0

/// Finds the schema of a `Decodable` type by letting it decode from a source that notes every key asked for.
/// So the schema that is published cannot differ from what the code reads.
public enum SchemaProbe {
    /// The schema of `type`, with every property it reads.
    public static func schema<T: Decodable>(of type: T.Type) -> Schema {
        if let leaf = type as? any SchemaProviding.Type { return leaf.schema }
        let note = ProbeNote()
        do {
            _ = try T(from: ProbeDecoder(note: note))
        } catch {
            preconditionFailure("\(type) cannot be described: \(error)")
        }
        return limited(note.schema, by: type)
    }

    static func value<T: Decodable>(of type: T.Type, noting note: (Schema) -> Void) throws -> T {
        if let leaf = type as? any SchemaProviding.Type {
            note(leaf.schema)
            return leaf.example as! T
        }
        let inner = ProbeNote()
        let value = try T(from: ProbeDecoder(note: inner))
        note(limited(inner.schema, by: type))
        return value
    }

    private static func limited<T>(_ schema: Schema, by type: T.Type) -> Schema {
        guard let limits = (type as? any FieldLimits.Type)?.limits else { return schema }
        var schema = schema
        schema.properties = schema.properties?.map { property in
            let limited = limits[property.name] ?? property.schema
            return Schema.Property(name: property.name, schema: limited, required: property.required)
        }
        return schema
    }
}

/// What one decoder was asked for. A class, since decoding containers are values that are copied.
final class ProbeNote {
    var properties: [Schema.Property] = []
    var element: Schema?
    var leaf: Schema?
    var keyed = false

    var schema: Schema {
        if let element { return Schema(type: "array", items: element) }
        if keyed { return Schema(type: "object", properties: properties) }
        return leaf ?? Schema()
    }

    func add(_ name: String, _ schema: Schema, required: Bool) {
        properties.append(.init(name: name, schema: schema, required: required))
    }
}

struct ProbeDecoder: Decoder {
    let note: ProbeNote
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        note.keyed = true
        return KeyedDecodingContainer(ProbeKeyed<Key>(note: note))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { ProbeUnkeyed(note: note) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { ProbeSingle(note: note) }
}

private struct ProbeKeyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let note: ProbeNote
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) throws -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try SchemaProbe.value(of: type) { note.add(key.stringValue, $0, required: true) }
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try SchemaProbe.value(of: type) { note.add(key.stringValue, $0, required: false) }
    }

    // The compiler's generated code calls the primitive overloads by their own names.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { optional(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { optional(type, key) }

    private func optional<T: SchemaProviding>(_ type: T.Type, _ key: Key) -> T? {
        note.add(key.stringValue, T.schema, required: false)
        return T.example
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        throw ProbeFailure.unsupported
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw ProbeFailure.unsupported
    }
    func superDecoder() throws -> any Decoder { throw ProbeFailure.unsupported }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw ProbeFailure.unsupported }
}

private enum ProbeFailure: Error { case unsupported }

private struct ProbeUnkeyed: UnkeyedDecodingContainer {
    let note: ProbeNote
    var codingPath: [any CodingKey] { [] }
    var count: Int? { 1 }
    var currentIndex = 0
    var isAtEnd: Bool { currentIndex > 0 }

    init(note: ProbeNote) { self.note = note }

    mutating func decodeNil() throws -> Bool { false }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        currentIndex += 1
        return try SchemaProbe.value(of: type) { note.element = $0 }
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<
        Key
    > {
        throw ProbeFailure.unsupported
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw ProbeFailure.unsupported
    }
    mutating func superDecoder() throws -> any Decoder { throw ProbeFailure.unsupported }
}

private struct ProbeSingle: SingleValueDecodingContainer {
    let note: ProbeNote
    var codingPath: [any CodingKey] { [] }
    func decodeNil() -> Bool { false }
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try SchemaProbe.value(of: type) { note.leaf = $0 }
    }
}
