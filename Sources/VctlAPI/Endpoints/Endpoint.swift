// SPDX-License-Identifier: Apache-2.0

/// What a caller must be, at the least.
public enum Role: String, APIEnum, Comparable {
    case viewer, operate = "operator", admin

    public static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operate: 1
        case .admin: 2
        }
    }
}

/// An HTTP method that the API uses.
public enum Method: String, Sendable, CaseIterable {
    case get = "GET", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE"
}

/// How an endpoint answers.
public enum ReplyKind: Hashable, Sendable {
    /// One JSON value, at once.
    case value
    /// A bare array, with `fields`, `limit` and `after`.
    case list
    /// `202` and an operation.
    case operation
    /// Server-sent events, or an array where JSON is asked for.
    case events
    /// Bytes of the given media type.
    case bytes(String)
    /// `204`.
    case nothing
    /// `101`: the connection becomes a stream of bytes in both directions, of the given protocol.
    case upgrade(String)
}

/// A parameter in the query.
public struct QueryParameter: Hashable, Sendable {
    /// The name in the query.
    public let name: String
    /// Its type.
    public let schema: Schema
    /// What it does.
    public let summary: String

    init(_ name: String, _ schema: Schema, _ summary: String) {
        self.name = name
        self.schema = schema
        self.summary = summary
    }
}

/// One call of the API: everything about it that is not its implementation.
public struct Endpoint: Sendable {
    /// A stable id, as in the audit: `vm.create`.
    public let id: String
    public let method: Method
    /// With `{parameter}`s: `/v1/vms/{vm}`.
    public let path: String
    public let summary: String
    public let role: Role
    public let query: [QueryParameter]
    /// The schema's name and the schema of the request body.
    public let body: NamedSchema?
    /// The schema's name and the schema of one replied value.
    public let reply: NamedSchema?
    public let kind: ReplyKind

    /// Whether it changes something, and so belongs into the audit.
    public var changes: Bool { method != .get && role > .viewer }
    /// The names of the parameters in the path.
    public var pathParameters: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}

/// A schema that has a name of its own in the published document.
public struct NamedSchema: Sendable {
    /// Whether this stands for bytes and not for JSON.
    public let isBytes: Bool
    private let makeName: @Sendable () -> String
    private let make: @Sendable () -> Schema

    // Both are found anew each time: a client that only wants a path must not pay for them; the names of all
    // types alone were a quarter of its run.
    /// The Swift type's name, or the media type.
    public var name: String { makeName() }
    /// Its schema.
    public var schema: Schema { make() }

    /// The schema of a type, found by probing.
    public init<T: Decodable & SendableMetatype>(_ type: T.Type) {
        makeName = { String(describing: T.self) }
        isBytes = false
        make = { SchemaProbe.schema(of: T.self) }
    }

    /// A body that is no JSON: its name is the media type.
    init(bytes mediaType: String) {
        makeName = { mediaType }
        isBytes = true
        make = { Schema(type: "string", format: "binary") }
    }
}
