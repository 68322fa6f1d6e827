// SPDX-License-Identifier: Apache-2.0

/// A leaf type that says its own schema, since a decoder cannot find its rules by itself.
public protocol SchemaProviding {
    /// The JSON Schema of the encoded form.
    static var schema: Schema { get }
    /// Any valid value.
    static var example: Self { get }
}

/// A closed set of words.
public protocol APIEnum: RawRepresentable, CaseIterable, Codable, Sendable, Hashable, SchemaProviding
where RawValue == String {}

extension APIEnum {
    public static var schema: Schema { Schema(type: "string", values: allCases.map(\.rawValue)) }
    public static var example: Self { allCases.first! }
}

extension String: SchemaProviding {
    public static var schema: Schema { Schema(type: "string") }
    public static var example: String { "text" }
}

extension Bool: SchemaProviding {
    public static var schema: Schema { Schema(type: "boolean") }
    public static var example: Bool { true }
}

extension Int: SchemaProviding {
    public static var schema: Schema { Schema(type: "integer", format: "int64") }
    public static var example: Int { 1 }
}

extension Int64: SchemaProviding {
    public static var schema: Schema { Schema(type: "integer", format: "int64") }
    public static var example: Int64 { 1 }
}

extension Double: SchemaProviding {
    public static var schema: Schema { Schema(type: "number") }
    public static var example: Double { 1 }
}

extension Dictionary: SchemaProviding where Key == String, Value: SchemaProviding {
    public static var schema: Schema { Schema(type: "object", additional: Value.schema) }
    public static var example: [String: Value] { [:] }
}

extension Optional: SchemaProviding where Wrapped: SchemaProviding {
    public static var schema: Schema {
        var schema = Wrapped.schema
        schema.nullable = true
        return schema
    }
    public static var example: Wrapped? { nil }
}
