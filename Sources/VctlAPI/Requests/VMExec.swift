// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// A command to run in a guest, by its agent.
public struct VMExec: Codable, Sendable {
    /// The program and its arguments; no shell looks at them.
    public var command: [String]
    /// Variables that are added to the agent's own.
    public var environment: [String: String]?
    /// The directory in which it runs.
    public var directory: String?
    /// Its standard input, whole.
    public var input: Base64?

    /// A command without input.
    public init(command: [String]) { self.command = command }
}

/// Bytes in JSON, as base64 (RFC 4648).
public struct Base64: Hashable, Sendable {
    public var bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
}

extension Base64: Codable, SchemaProviding {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let data = Data(base64Encoded: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "this is no base64")
        }
        bytes = Array(data)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(bytes).base64EncodedString())
    }

    public static var schema: Schema {
        Schema(type: "string", pattern: "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")
    }
    public static var example: Base64 { Base64([]) }
}

/// One line of the reply to an exec: some output, or the end.
public struct ExecLine: Codable, Hashable, Sendable {
    public var stdout: Base64?
    public var stderr: Base64?
    /// The exit status, on the last line.
    public var exit: Int?
    /// Why there is no exit status, on the last line.
    public var error: Problem?
    public init() {}
}
