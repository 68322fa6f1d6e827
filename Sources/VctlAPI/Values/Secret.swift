// SPDX-License-Identifier: Apache-2.0

/// Text that must never be seen again once it is received: it encodes, prints and mirrors as `«secret»`.
/// Only ``reveal()`` gives it, so that every use can be found by that word.
public struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let text: String

    /// Wraps the text.
    public init(_ text: String) { self.text = text }

    /// The text itself.
    public func reveal() -> String { text }

    /// What stands for a secret wherever it would be shown.
    public static let redacted = "«secret»"

    public var description: String { Self.redacted }
    public var debugDescription: String { Self.redacted }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Secret: Codable, SchemaProviding {
    public init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if encoder.userInfo[.revealsSecrets] as? Bool == true {
            try container.encode(text)
        } else {
            try container.encode(Self.redacted)
        }
    }

    public static var schema: Schema { Schema(type: "string", maxLength: 1 << 20, writeOnly: true) }
    public static var example: Secret { Secret("example") }
}

extension CodingUserInfoKey {
    /// Set to `true` by a client that sends a request: only there does a ``Secret`` encode as its text.
    public static let revealsSecrets = CodingUserInfoKey(rawValue: "vctl.revealsSecrets")!
}
