// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Decodes a request and collects *every* problem on the way: a wrong leaf is noted and an example stands in
/// for it, so that decoding goes on to the next. Keys that no type asked for are unknown fields.
enum StrictDecoder {
    /// The request in `value`.
    /// - Throws: ``Problem`` `request.unknownField` or `request.invalid` with every wrong field.
    static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        let findings = Findings()
        let node = StrictNode(value: value, path: "", findings: findings)
        let decoded = try T(from: node)
        node.reportUnknown()
        if let problem = findings.problem { throw problem }
        return decoded
    }
}

/// What was found wrong so far. A class, since decoders are values that are copied.
final class Findings {
    private var unknown: [FieldProblem] = []
    private var invalid: [FieldProblem] = []
    private static let most = 50

    func unknown(_ field: String) {
        unknown.append(FieldProblem(shown(field, limit: 200), "there is no such field"))
    }

    func invalid(_ field: String, _ problem: String) {
        invalid.append(FieldProblem(field.isEmpty ? "body" : shown(field, limit: 200), problem))
    }

    var problem: Problem? {
        guard !unknown.isEmpty || !invalid.isEmpty else { return nil }
        let all = unknown + invalid
        let code: ErrorCode = unknown.isEmpty ? .requestInvalid : .requestUnknownField
        return Problem(code, Self.summary(all, unknown: unknown.count), errors: Array(all.prefix(Self.most)))
    }

    private static func summary(_ all: [FieldProblem], unknown: Int) -> String {
        let named = all.prefix(unknown > 0 ? unknown : all.count).prefix(10)
        if unknown > 0 {
            let names = named.map(\.field).joined(separator: ", ")
            return "\(unknown == 1 ? "there is no field" : "there are no fields") \(names)"
        }
        return named.map { "\($0.field): \($0.problem)" }.joined(separator: "; ")
    }
}

/// A place in the request: the decoder that a type sees. Without a value it answers with examples and notes
/// nothing, so that a type can be made up where its JSON is missing or wrong.
final class StrictNode: Decoder {
    let value: JSONValue?
    let path: String
    let findings: Findings
    private var asked: Set<String> = []
    private var open = false
    private var keyed = false

    init(value: JSONValue?, path: String, findings: Findings) {
        self.value = value
        self.path = path
        self.findings = findings
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    var members: [String: JSONValue]? {
        if case .object(let members) = value { return members }
        return nil
    }

    func ask(_ key: String) { asked.insert(key) }
    func askAll() { open = true }

    func child(_ key: String) -> StrictNode {
        let childPath = path.isEmpty ? key : "\(path).\(key)"
        return StrictNode(value: members?[key], path: childPath, findings: findings)
    }

    func reportUnknown() {
        guard keyed, !open, let members else { return }
        for key in members.keys.sorted() where !asked.contains(key) {
            findings.unknown(path.isEmpty ? key : "\(path).\(key)")
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        keyed = true
        if let value, members == nil { findings.invalid(path, "must be an object, not \(value.kind)") }
        return KeyedDecodingContainer(StrictKeyed<Key>(node: self, muted: members == nil))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        if case .array(let elements) = value { return StrictUnkeyed(node: self, elements: elements) }
        if let value { findings.invalid(path, "must be an array, not \(value.kind)") }
        return StrictUnkeyed(node: self, elements: [])
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { StrictSingle(node: self) }

    /// The value of this node as `type`; what is wrong is noted, and an example returned.
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard let leaf = type as? any SchemaProviding.Type else {
            let decoded = try T(from: self)
            reportUnknown()
            return decoded
        }
        guard value != nil else { return leaf.example as! T }
        do {
            let decoded = try T(from: self)
            reportUnknown()
            return decoded
        } catch {
            findings.invalid(path, problem(of: error, leaf.schema))
            return leaf.example as! T
        }
    }

    private func problem(of error: any Error, _ schema: Schema) -> String {
        if let words = schema.values, case .string = value {
            return "must be one of \(words.joined(separator: ", "))"
        }
        guard let error = error as? DecodingError else { return "is not valid" }
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            return context.debugDescription
        @unknown default: return "is not valid"
        }
    }
}
