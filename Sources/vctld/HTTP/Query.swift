// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlCore

/// The query of a request, checked against its endpoint.
struct Query: Sendable {
    fileprivate(set) var values: [String: [String]] = [:]

    /// The text of a parameter.
    func text(_ name: String) -> String? { values[name]?.first }

    /// Whether a flag is set: `?dryRun`, `?dryRun=true`.
    func flag(_ name: String) -> Bool { values[name].map { $0[0] != "false" } ?? false }

    /// A number.
    func number(_ name: String) -> Int64? { values[name].flatMap { Int64($0[0]) } }

    /// What a list asks for.
    func list() throws -> ListQuery {
        var query = ListQuery()
        query.state = text("state") ?? text("status")
        query.fields = text("fields").map { $0.split(separator: ",").map(String.init) }
        query.limit = number("limit").map(Int.init)
        query.after = text("after")
        for label in values["label"] ?? [] {
            // `QueryRules` has made sure that there is a `=`.
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query.labels[String(parts[0])] = String(parts[1])
        }
        return query
    }
}

/// What the query of an endpoint may hold.
struct QueryRules: Sendable {
    private let parameters: [String: QueryParameter]
    /// The fields that `?fields=` may name.
    private let fields: [String]

    init(_ endpoint: Endpoint) {
        parameters = Dictionary(uniqueKeysWithValues: endpoint.query.map { ($0.name, $0) })
        // A schema is found by probing, which is dear.
        let takesFields = parameters["fields"] != nil
        fields = takesFields ? endpoint.reply?.schema.properties?.map(\.name).sorted() ?? [] : []
    }

    /// The query of `text`, which is what stands behind the question mark.
    /// - Throws: ``Problem`` `request.invalid` naming every unknown, repeated or wrong parameter.
    func read(_ text: Substring) throws -> Query {
        var query = Query()
        var problems: [FieldProblem] = []
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Percent.decode(parts[0], plus: true),
                let value = parts.count == 2 ? Percent.decode(parts[1], plus: true) : ""
            else {
                problems.append(FieldProblem(shown(String(pair)), "is no valid percent-encoded UTF-8"))
                continue
            }
            if let problem = problem(name, value, bare: parts.count == 1, seen: query.values[name] != nil) {
                problems.append(FieldProblem(shown(name), problem))
            } else {
                query.values[name, default: []].append(value)
            }
        }
        guard problems.isEmpty else { throw Self.refusal(problems) }
        return query
    }

    private func problem(_ name: String, _ value: String, bare: Bool, seen: Bool) -> String? {
        guard let parameter = parameters[name] else {
            let known = parameters.keys.sorted().joined(separator: ", ")
            return "there is no such parameter\(known.isEmpty ? "" : "; known are \(known)")"
        }
        if seen, name != "label" { return "is given more than once" }
        switch name {
        case "label":
            return (value.firstIndex(of: "=") ?? value.startIndex) > value.startIndex
                ? nil : "must be KEY=VALUE"
        case "fields": return unknownFields(value)
        case "timeout":
            return WaitTime.seconds(value) == nil ? "must be a time such as 30s, 5m or 500ms" : nil
        default: return typeProblem(value, parameter.schema, bare: bare)
        }
    }

    private func unknownFields(_ value: String) -> String? {
        let unknown = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            .filter { !fields.contains($0) }
        guard !unknown.isEmpty else { return nil }
        let names = unknown.prefix(10).map { "\"\(shown($0))\"" }.joined(separator: ", ")
        return "\(names): no such field; known are \(fields.joined(separator: ", "))"
    }

    private func typeProblem(_ value: String, _ schema: Schema, bare: Bool) -> String? {
        switch schema.type {
        case "boolean": return bare || value == "true" || value == "false" ? nil : "must be true or false"
        case "integer": return integerProblem(value, schema)
        default:
            guard let words = schema.values else { return nil }
            return words.contains(value) ? nil : "must be one of \(words.joined(separator: ", "))"
        }
    }

    private func integerProblem(_ value: String, _ schema: Schema) -> String? {
        let low = schema.minimum ?? .min
        let high = schema.maximum ?? .max
        // `Int64` would also read "+1".
        if let number = Int64(value), number >= low, number <= high, value.utf8.first != UInt8(ascii: "+") {
            return nil
        }
        return schema.maximum == nil
            ? "must be a whole number from \(low)" : "must be a whole number from \(low) to \(high)"
    }

    private static func refusal(_ problems: [FieldProblem]) -> Problem {
        let text = problems.prefix(10).map { "\($0.field): \($0.problem)" }.joined(separator: "; ")
        return Problem(.requestInvalid, "the query is wrong: \(text)", errors: Array(problems.prefix(50)))
    }
}

/// How long `…/wait` waits.
enum WaitTime {
    /// The longest wait, in seconds: one that a client and everything between would still wait for.
    static let maximum = 3600.0

    /// `30s`, `5m`, `500ms`, `1h`, `30` (seconds); `nil` for anything else. At most ``maximum``.
    static func seconds(_ text: String) -> Double? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard (1...6).contains(digits.count), let number = Double(digits) else { return nil }
        let units: [Substring: Double] = ["ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600]
        return units[text.dropFirst(digits.count)].map { min(number * $0, maximum) }
    }
}
