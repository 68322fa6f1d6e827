// SPDX-License-Identifier: Apache-2.0

/// How a request addresses an object: by name or by UUID. Foreign objects may have names that vctl would not
/// give.
public enum Reference: Hashable, Sendable, CustomStringConvertible {
    /// A UUID.
    case id(ObjectID)
    /// A name, not checked beyond its length: it is only compared.
    case name(String)

    /// A UUID where the text is one, else a name.
    public init(_ text: String) {
        if let id = ObjectID(text) { self = .id(id) } else { self = .name(String(text.prefix(256))) }
    }

    public var description: String {
        switch self {
        case .id(let id): id.rawValue
        case .name(let name): name
        }
    }
}

extension Reference: CheckedString {
    private static let maximumLength = 256

    public init(checking text: String) throws(InvalidValue) {
        guard !text.isEmpty else {
            throw InvalidValue(value: text, problem: "a name or UUID cannot be empty")
        }
        guard text.unicodeScalars.count <= Self.maximumLength else {
            throw InvalidValue(value: text, problem: "this is too long for a name or UUID")
        }
        self.init(text)
    }
    public static var schema: Schema { Schema(type: "string", minLength: 1, maxLength: maximumLength) }
    public static var example: Reference { .name("web1") }
}
