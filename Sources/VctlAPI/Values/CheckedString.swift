// SPDX-License-Identifier: Apache-2.0

/// A value that is a string in JSON and on the command line, and cannot hold nonsense.
public protocol CheckedString: Codable, SchemaProviding, Sendable, CustomStringConvertible {
    /// - Throws: ``InvalidValue`` when the text breaks the type's rule.
    init(checking text: String) throws(InvalidValue)
}

extension CheckedString {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        do {
            try self.init(checking: text)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.problem, underlyingError: error)
            )
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
