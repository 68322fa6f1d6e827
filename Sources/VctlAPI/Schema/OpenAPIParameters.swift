// SPDX-License-Identifier: Apache-2.0

/// The parameters of an endpoint: of its path, its query and its headers.
enum OpenAPIParameters {
    static func parameters(_ endpoint: Endpoint) -> [Tree] {
        endpoint.pathParameters.map(path) + endpoint.query.map(query) + headers(endpoint)
    }

    private static func path(_ name: String) -> Tree {
        [
            "name": .text(name), "in": "path", "required": .flag(true), "description": "a name or a UUID",
            "schema": .schema(Reference.schema),
        ]
    }

    private static func query(_ parameter: QueryParameter) -> Tree {
        // Only `label` may be repeated; all else is one value.
        let repeated = parameter.name == QueryParameter.label.name
        let schema = repeated ? Schema(type: "array", items: labelSchema) : parameter.schema
        return [
            "name": .text(parameter.name), "in": "query", "required": .flag(false),
            "description": .text(parameter.summary), "schema": .schema(schema),
        ]
    }

    private static let labelSchema = Schema(type: "string", pattern: "^[^=]+=")

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
        if endpoint.method == .get, endpoint.kind == .value, !endpoint.pathParameters.isEmpty {
            headers.append(header("If-None-Match", "304 if this is still its ETag", text))
        }
        if endpoint.kind == .events { headers.append(header("Last-Event-ID", "those after this one", text)) }
        if endpoint.method == .put {
            headers.append(header("Content-Range", "bytes FIRST-LAST/TOTAL: go on with an upload", text))
        }
        return headers
    }

    private static let text = Schema(type: "string")

    private static func header(_ name: String, _ summary: String, _ schema: Schema) -> Tree {
        [
            "name": .text(name), "in": "header", "required": .flag(false), "description": .text(summary),
            "schema": .schema(schema),
        ]
    }
}
