// SPDX-License-Identifier: Apache-2.0

/// A request for a new image: from a URL, or without one to be followed by `PUT …/content`.
public struct ImageCreate: Codable, Sendable {
    public var name: Name
    public var description: String?
    /// `http://` or `https://`; the daemon downloads it.
    public var url: String?
    /// The size of the content that will be sent, in bytes.
    public var sizeBytes: ByteCount?
    /// What the content's checksum must be.
    public var checksum: Checksum?
    /// What the content's format must be; probed without it.
    public var sourceFormat: DiskFormat?
    /// The format to store; that of the source where it is qcow2 or raw, else qcow2.
    public var format: DiskFormat?
    public var labels: [String: String]?
    public var protected: Bool?
    /// The least request; everything else is set afterwards.
    public init(name: Name) { self.name = name }
}

/// A merge patch (RFC 7396) of an image.
public struct ImagePatch: Codable, Sendable {
    public var name: Name?
    public var description: RemovableText?
    /// A `null` removes the label.
    public var labels: [String: String?]?
    public var protected: Bool?
    public init() {}
}

/// `sha256:` and 64 hexadecimal digits.
public struct Checksum: Hashable, Sendable, CustomStringConvertible {
    /// The digest, lower-case hexadecimal.
    public let sha256: String

    /// From a digest in hexadecimal.
    public init(sha256: String) { self.sha256 = sha256.lowercased() }

    public var description: String { "sha256:\(sha256)" }
}

extension Checksum: CheckedString {
    public init(checking text: String) throws(InvalidValue) {
        let digits = text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]
        guard digits.utf8.count == 64, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw InvalidValue(value: text, problem: "a checksum is sha256: and 64 hexadecimal digits")
        }
        sha256 = digits.lowercased()
    }
    public static var schema: Schema { Schema(type: "string", pattern: "^(sha256:)?[0-9A-Fa-f]{64}$") }
    public static var example: Checksum { Checksum(sha256: String(repeating: "0", count: 64)) }
}
