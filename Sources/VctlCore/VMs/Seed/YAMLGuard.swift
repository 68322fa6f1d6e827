// SPDX-License-Identifier: Apache-2.0
import CYaml

/// Checks a YAML text by its events, without ever building what it spells: a few lines of aliases can spell
/// billions of nodes, and Yams, which builds first, hashes every key to find doubles.
struct YAMLGuard {
    /// The most nodes that a document may have once its aliases are followed.
    static let maximumNodes = 200_000
    /// The deepest nesting.
    static let maximumDepth = 64

    /// What a document must be.
    enum Root { case mapping, sequence }

    /// What is wrong with a text that must be one YAML document, with line and column; `nil`: nothing.
    static func problem(with text: String, root: Root) -> String? {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { return "there is no memory to read it" }
        defer { yaml_parser_delete(&parser) }
        var copy = text
        return copy.withUTF8 { bytes in
            yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
            var check = YAMLGuard(root: root)
            return check.run(&parser)
        }
    }

    private let root: Root
    private var documents = 0
    private var depth = 0
    private var nodes = 0
    /// The node counts at which the open collections began, with their anchors.
    private var open: [(anchor: String?, start: Int)] = []
    /// How many nodes an anchor stands for, its aliases followed.
    private var weights: [String: Int] = [:]

    private init(root: Root) { self.root = root }

    private mutating func run(_ parser: inout yaml_parser_t) -> String? {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(&parser, &event) == 1 else { return Self.syntaxProblem(parser) }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT {
                return documents == 0 ? "it holds no YAML document" : nil
            }
            if let problem = take(event) {
                return "line \(event.start_mark.line + 1), column \(event.start_mark.column + 1): \(problem)"
            }
        }
    }

    private mutating func take(_ event: yaml_event_t) -> String? {
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            documents += 1
            return documents > 1 ? "a second document begins; only one is read" : nil
        case YAML_ALIAS_EVENT: return alias(Self.text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT: return scalar(Self.text(event.data.scalar.anchor))
        case YAML_SEQUENCE_START_EVENT: return begin(.sequence, Self.text(event.data.sequence_start.anchor))
        case YAML_MAPPING_START_EVENT: return begin(.mapping, Self.text(event.data.mapping_start.anchor))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            end()
            return nil
        default: return nil
        }
    }

    private mutating func alias(_ name: String) -> String? {
        guard let weight = weights[name] else { return "*\(name) is no anchor that was finished before" }
        return add(weight)
    }

    private mutating func scalar(_ anchor: String?) -> String? {
        if depth == 0 { return wrongRoot }
        if let anchor { weights[anchor] = 1 }
        return add(1)
    }

    private mutating func begin(_ kind: Root, _ anchor: String?) -> String? {
        if depth == 0, kind != root { return wrongRoot }
        depth += 1
        guard depth <= Self.maximumDepth else {
            return "it is nested deeper than \(Self.maximumDepth) levels"
        }
        open.append((anchor, nodes))
        // An alias to a collection that still holds it would have no end.
        if let anchor { weights[anchor] = nil }
        return add(1)
    }

    private mutating func end() {
        depth -= 1
        guard let last = open.popLast(), let anchor = last.anchor else { return }
        weights[anchor] = nodes - last.start
    }

    private mutating func add(_ count: Int) -> String? {
        nodes += count
        return nodes <= Self.maximumNodes
            ? nil : "with its aliases followed it has more than \(Self.maximumNodes) values"
    }

    private var wrongRoot: String {
        root == .mapping ? "it must be a mapping (key: value)" : "it must be a list (- value)"
    }

    private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        bytes.map { String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
    }

    private static func syntaxProblem(_ parser: yaml_parser_t) -> String {
        let words = parser.problem.map { String(cString: $0) } ?? "this is no YAML"
        let line = parser.problem_mark.line + 1
        let column = parser.problem_mark.column + 1
        return "line \(line), column \(column): \(words)"
    }
}
