// SPDX-License-Identifier: Apache-2.0
import VctlAPI

struct StrictKeyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let node: StrictNode
    /// The object itself is missing or wrong, which has been noted once; its members are made up.
    let muted: Bool
    var codingPath: [any CodingKey] { [] }

    /// Only a dictionary asks for all keys: it takes them as they come.
    var allKeys: [Key] {
        node.askAll()
        return (node.members ?? [:]).keys.sorted().compactMap { Key(stringValue: $0) }
    }

    func contains(_ key: Key) -> Bool {
        node.ask(key.stringValue)
        return node.members?[key.stringValue] != nil
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        node.ask(key.stringValue)
        if case .null? = node.members?[key.stringValue] { return true }
        return false
    }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        node.ask(key.stringValue)
        let child = node.child(key.stringValue)
        if child.value == nil, !muted { node.findings.invalid(child.path, "is required") }
        return try child.decode(type)
    }

    /// An absent field is `nil`; `null` is not the same, and no field of a request has a use for it.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        node.ask(key.stringValue)
        let child = node.child(key.stringValue)
        return child.value == nil ? nil : try child.decode(type)
    }

    // The compiler's generated code calls the primitive overloads by their own names.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optional(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try optional(type, key) }

    private func optional<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T? {
        node.ask(key.stringValue)
        let child = node.child(key.stringValue)
        return child.value == nil ? nil : try child.decode(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        node.ask(key.stringValue)
        return try node.child(key.stringValue).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        node.ask(key.stringValue)
        return try node.child(key.stringValue).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { node }
    func superDecoder(forKey key: Key) throws -> any Decoder { node.child(key.stringValue) }
}

struct StrictUnkeyed: UnkeyedDecodingContainer {
    let node: StrictNode
    let elements: [JSONValue]
    var currentIndex = 0
    var codingPath: [any CodingKey] { [] }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    init(node: StrictNode, elements: [JSONValue]) {
        self.node = node
        self.elements = elements
    }

    private mutating func next() -> StrictNode {
        defer { currentIndex += 1 }
        let path = "\(node.path)[\(currentIndex)]"
        return StrictNode(value: isAtEnd ? nil : elements[currentIndex], path: path, findings: node.findings)
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, case .null = elements[currentIndex] else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let element = next()
        return try element.decode(type)
    }
    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<
        Key
    > {
        try next().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next().unkeyedContainer()
    }
    mutating func superDecoder() throws -> any Decoder { next() }
}

struct StrictSingle: SingleValueDecodingContainer {
    let node: StrictNode
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool {
        if case .null = node.value { return true }
        return false
    }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let bool) = node.value else { throw mismatch(type, "true or false") }
        return bool
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let text) = node.value else { throw mismatch(type, "a string") }
        return text
    }

    func decode(_ type: Double.Type) throws -> Double {
        guard case .number(let digits) = node.value else { throw mismatch(type, "a number") }
        guard let number = Double(digits), number.isFinite else { throw corrupted("is too large a number") }
        return number
    }

    func decode(_ type: Int.Type) throws -> Int { Int(try decode(Int64.self)) }

    func decode(_ type: Int64.Type) throws -> Int64 {
        guard case .number(let digits) = node.value else { throw mismatch(type, "a whole number") }
        if let number = Int64(digits) { return number }
        guard let number = Double(digits), number.isFinite, abs(number) < 0x1p53 else {
            throw corrupted("is too large a number")
        }
        guard number.rounded() == number else { throw corrupted("must be a whole number") }
        return Int64(number)
    }

    func decode<T: Decodable>(_ type: T.Type) throws -> T { try T(from: node) }

    private func mismatch(_ type: any Any.Type, _ wanted: String) -> DecodingError {
        let problem = "must be \(wanted), not \(node.value?.kind ?? "absent")"
        return DecodingError.typeMismatch(type, .init(codingPath: [], debugDescription: problem))
    }

    private func corrupted(_ problem: String) -> DecodingError {
        DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: problem))
    }
}
