// SPDX-License-Identifier: Apache-2.0

/// The parameters of an endpoint: of its path, its query and its headers.
enum OpenAPIParameters {
    static func parameters(_ endpoint: Endpoint) -> [Tree] {
        endpoint.pathParameters.map(path) + endpoint.query.map { query($0, endpoint) } + headers(endpoint)
    }

    private static func path(_ name: String) -> Tree {
        [
            "name": .text(name), "in": "path", "required": .flag(true), "description": "a name or a UUID",
            "schema": .schema(Reference.schema),
        ]
    }

    private static func query(_ parameter: QueryParameter, _ endpoint: Endpoint) -> Tree {
        [
            "name": .text(parameter.name), "in": "query", "required": .flag(false),
            "description": .text(parameter.summary), "schema": .schema(schema(parameter, endpoint)),
        ]
    }

    private static func schema(_ parameter: QueryParameter, _ endpoint: Endpoint) -> Schema {
        switch parameter.name {
        // Only `label` may be repeated; all else is one value.
        case QueryParameter.label.name: return Schema(type: "array", items: labelSchema)
        case QueryParameter.fields.name:
            let names = (endpoint.reply?.schema.properties ?? []).map(\.name).sorted()
            let name = "(\(names.joined(separator: "|")))"
            return Schema(type: "string", pattern: "^\(name)(,\(name))*$")
        default: return parameter.schema
        }
    }

    private static let labelSchema = Schema(type: "string", pattern: "^[^=\\u0000]+=[^\\u0000]*$")

    private static func headers(_ endpoint: Endpoint) -> [Tree] {
        var headers: [Tree] = []
        if endpoint.method == .post {
            headers.append(
                header(
                    Wire.idempotencyKey, "the same key and request give the same reply",
                    Schema(type: "string", pattern: "^[!-~]+$", minLength: 1, maxLength: 255)))
        }
        if endpoint.role > .viewer, endpoint.method != .get, !endpoint.pathParameters.isEmpty,
            endpoint.kind != .nothing
        {
            headers.append(header("If-Match", "only if this is still its ETag", text))
        }
        if endpoint.hasTag {
            headers.append(header("If-None-Match", "304 if this is still its ETag", text))
        }
        if case .upgrade = endpoint.kind {
            headers.append(header("Connection", "Upgrade; nothing else is answered", text))
            headers.append(header("Upgrade", "the protocol", text))
        }
        if endpoint.kind == .events {
            headers.append(header("Last-Event-ID", "those after this one", number))
        }
        if endpoint.method == .put {
            let range = Schema(
                type: "string", pattern: "^bytes [0-9]{1,18}-[0-9]{1,18}/([0-9]{1,18}|\\*)$")
            headers.append(header("Content-Range", "bytes FIRST-LAST/TOTAL: go on with an upload", range))
        }
        return headers
    }

    private static let text = Schema(type: "string")
    private static let number = Schema(type: "integer", format: "int64", minimum: 0)

    private static func header(_ name: String, _ summary: String, _ schema: Schema) -> Tree {
        [
            "name": .text(name), "in": "header", "required": .flag(false), "description": .text(summary),
            "schema": .schema(schema),
        ]
    }
}
