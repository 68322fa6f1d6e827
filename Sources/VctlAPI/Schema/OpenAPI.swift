// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// The published description of the API, derived from ``Endpoints``: OpenAPI 3.1 as JSON.
public enum OpenAPI {
    /// The document for the given endpoints: sorted keys and indented, so that equal APIs are equal texts.
    public static func document(_ endpoints: [Endpoint] = Endpoints.all) -> String {
        let tree = Tree.object([
            "openapi": "3.1.0",
            "info": [
                "title": "vctl", "version": .text(Wire.version),
                "description": "Virtual machines through libvirt. HTTP/1.1 and JSON over a Unix socket.",
                "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
            ],
            "servers": [["url": "/"]],
            "security": [],
            "paths": paths(endpoints),
            "components": ["schemas": schemas(endpoints), "headers": headers, "responses": problems],
        ])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        // A tree of texts, numbers and lists cannot fail to encode.
        return String(decoding: try! encoder.encode(tree), as: UTF8.self) + "\n"
    }

    private static func paths(_ endpoints: [Endpoint]) -> Tree {
        var paths: [String: Tree] = [:]
        for (path, group) in Dictionary(grouping: endpoints, by: \.path) {
            var item: [String: Tree] = [:]
            for endpoint in group { item[endpoint.method.rawValue.lowercased()] = operation(endpoint) }
            paths[path] = .object(item)
        }
        return .object(paths)
    }

    private static func operation(_ endpoint: Endpoint) -> Tree {
        var operation: [String: Tree] = [
            "operationId": .text(endpoint.id), "summary": .text(endpoint.summary),
            "tags": [.text(String(endpoint.id.prefix { $0 != "." }))],
            "x-role": .text(endpoint.role.rawValue), "responses": OpenAPIReplies.replies(endpoint),
        ]
        let parameters = OpenAPIParameters.parameters(endpoint)
        if !parameters.isEmpty { operation["parameters"] = .list(parameters) }
        if let body = endpoint.body { operation["requestBody"] = requestBody(endpoint, body) }
        return .object(operation)
    }

    private static func requestBody(_ endpoint: Endpoint, _ body: NamedSchema) -> Tree {
        let required = body.isBytes || body.schema.properties?.contains { $0.required } == true
        var content: [String: Tree] = [:]
        for type in endpoint.mediaTypes {
            content[type] = ["schema": body.isBytes ? .schema(body.schema) : reference(body)]
        }
        return ["required": .flag(required), "content": .object(content)]
    }

    static func reference(_ named: NamedSchema) -> Tree { .schema(Schema(reference: named.name)) }

    private static func schemas(_ endpoints: [Endpoint]) -> Tree {
        let bodies = endpoints.flatMap { [$0.body, $0.reply] }.compactMap { $0 }.filter { !$0.isBytes }
        var schemas: [String: Tree] = [:]
        for named in bodies + [NamedSchema(Problem.self), NamedSchema(Preview.self)] {
            schemas[named.name] = .schema(named.schema)
        }
        return .object(schemas)
    }
}

extension Endpoint {
    /// The media types of the request body, the usual one first.
    public var mediaTypes: [String] {
        guard let body else { return [] }
        if body.isBytes { return [body.name] }
        return method == .patch ? [Wire.mergePatch, "application/json"] : ["application/json"]
    }

    /// Whether its reply is an object with a revision.
    var hasTag: Bool {
        method == .get && kind == .value && !pathParameters.isEmpty && reply?.name != "ConsoleStatus"
    }

    /// Whether `dryRun` answers with a ``Preview``.
    var previews: Bool { query.contains { $0.name == QueryParameter.dryRun.name } }
}

/// JSON in the making.
enum Tree: Encodable, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral {
    case text(String)
    case flag(Bool)
    case schema(Schema)
    case list([Tree])
    case object([String: Tree])

    init(dictionaryLiteral elements: (String, Tree)...) {
        self = .object(Dictionary(uniqueKeysWithValues: elements))
    }
    init(arrayLiteral elements: Tree...) { self = .list(elements) }
    init(stringLiteral value: String) { self = .text(value) }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text): try text.encode(to: encoder)
        case .flag(let flag): try flag.encode(to: encoder)
        case .schema(let schema): try schema.encode(to: encoder)
        case .list(let list): try list.encode(to: encoder)
        case .object(let object): try object.encode(to: encoder)
        }
    }
}
