// SPDX-License-Identifier: Apache-2.0

/// Why a text is not a document we accept. Lines and columns count from 1; 0 where there is no place to name.
public struct XMLSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The class of the fault, to match on.
    public enum Kind: Sendable, Hashable {
        /// Not well-formed, or a prefix without a namespace.
        case malformed
        /// A document type declaration: never accepted, because entities and external files come with it.
        case doctype
        /// Elements nested deeper than `XMLLimits.depth`.
        case tooDeep
        /// More bytes than `XMLLimits.bytes`.
        case tooLarge
        /// Bytes that are not UTF-8.
        case notUTF8
        /// Well-formed, but of another kind than the view that was asked for.
        case wrongRoot(expected: String, found: String)
        /// libxml2 had no memory left.
        case outOfMemory
    }

    /// The class of the fault.
    public let kind: Kind
    /// The line of the fault.
    public let line: Int
    /// The column of the fault.
    public let column: Int
    /// One sentence for people; libxml2's words where it found the fault.
    public let message: String

    init(_ kind: Kind, line: Int = 0, column: Int = 0, _ message: String) {
        self.kind = kind
        self.line = line
        self.column = column
        self.message = message
    }

    /// `line 3, column 7: …`
    public var description: String {
        line > 0 ? "line \(line), column \(column): \(message)" : message
    }
}

/// How much a parser takes in.
public struct XMLLimits: Sendable, Hashable {
    /// The longest text, in bytes of UTF-8.
    public var bytes: Int
    /// The deepest nesting of elements; at most 256 is honoured.
    public var depth: Int

    /// 10 MiB and 256 levels, unless told otherwise.
    public init(bytes: Int = 10 * 1024 * 1024, depth: Int = 256) {
        self.bytes = bytes
        self.depth = min(depth, 256)
    }
}
