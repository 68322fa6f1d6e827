// SPDX-License-Identifier: Apache-2.0

/// The replies of an endpoint.
enum OpenAPIReplies {
    static func replies(_ endpoint: Endpoint) -> Tree {
        var replies = successes(endpoint)
        for status in statuses(endpoint) {
            replies["\(status)"] = ["$ref": .text("#/components/responses/Problem\(status)")]
        }
        return .object(replies)
    }

    private static func successes(_ endpoint: Endpoint) -> [String: Tree] {
        switch endpoint.kind {
        case .value: valueReplies(endpoint)
        case .list: ["200": listReply(endpoint)]
        case .operation: operationReplies(endpoint)
        case .events: ["200": eventReply(endpoint)]
        case .bytes(let type): ["200": reply("the bytes", [type: bytesSchema(type)])]
        case .nothing: nothingReplies(endpoint)
        case .upgrade(let name):
            ["101": ["description": .text("with `Upgrade: \(name)`: from now on bytes in both directions")]]
        }
    }

    private static func nothingReplies(_ endpoint: Endpoint) -> [String: Tree] {
        var replies: [String: Tree] = ["204": ["description": "done"]]
        if endpoint.previews {
            let preview = OpenAPI.reference(NamedSchema(Preview.self))
            replies["200"] = reply("with dryRun: what would be done", ["application/json": preview])
        }
        return replies
    }

    private static func valueReplies(_ endpoint: Endpoint) -> [String: Tree] {
        let value = endpoint.reply.map(OpenAPI.reference) ?? .object([:])
        let preview = OpenAPI.reference(NamedSchema(Preview.self))
        let schema: Tree = endpoint.previews ? ["anyOf": [value, preview]] : value
        let hasTag = endpoint.hasTag
        let tags = hasTag ? ["ETag", Wire.observedAt] : []
        var replies = ["200": reply("the object", ["application/json": schema], headers: tags)]
        // The collection answers for what is new in it.
        if endpoint.method == .post, endpoint.pathParameters.isEmpty, endpoint.previews {
            let preview = reply(
                "with dryRun: what would be done",
                ["application/json": OpenAPI.reference(NamedSchema(Preview.self))])
            let made = reply("the new object", ["application/json": value], headers: ["Location"])
            replies = ["200": preview, "201": made]
        }
        if hasTag { replies["304"] = ["description": "it has not changed"] }
        return replies
    }

    private static func listReply(_ endpoint: Endpoint) -> Tree {
        let element = endpoint.reply?.schema ?? Schema()
        let schema = Schema(type: "array", items: element.withoutRequired)
        return reply("a page", ["application/json": .schema(schema)], headers: ["Link", Wire.observedAt])
    }

    private static func operationReplies(_ endpoint: Endpoint) -> [String: Tree] {
        let operation = OpenAPI.reference(NamedSchema(Operation.self))
        var replies = [
            "202": reply("the operation that does it", ["application/json": operation], headers: ["Location"])
        ]
        if endpoint.previews {
            let preview = OpenAPI.reference(NamedSchema(Preview.self))
            replies["200"] = reply("with dryRun: what would be done", ["application/json": preview])
        }
        if endpoint.id == "image.import" {
            let image = OpenAPI.reference(NamedSchema(Image.self))
            replies["201"] = reply(
                "the image that waits for its content", ["application/json": image], headers: ["Location"])
        }
        if endpoint.method == .put {
            let image = OpenAPI.reference(NamedSchema(Image.self))
            replies["200"] = reply("this part is stored, more is awaited", ["application/json": image])
        }
        return replies
    }

    private static func eventReply(_ endpoint: Endpoint) -> Tree {
        let event = endpoint.reply.map(OpenAPI.reference) ?? .object([:])
        return reply(
            "a stream; or an array, where Accept asks for JSON",
            [
                "text/event-stream": .schema(streamed),
                "application/json": ["type": "array", "items": event],
            ])
    }

    /// One message of a stream of events, by its lines.
    private static let streamed = Schema(
        type: "object",
        properties: [
            .init(name: "id", schema: Schema(type: "string", pattern: "^[0-9]+$"), required: true),
            .init(name: "event", schema: Schema(type: "string"), required: true),
            .init(name: "data", schema: Schema(type: "string"), required: true),
        ])

    private static func bytesSchema(_ type: String) -> Tree {
        type == "application/json" ? .schema(Schema(type: "object")) : .schema(Schema(type: "string"))
    }

    private static func reply(_ summary: String, _ content: [String: Tree], headers: [String] = []) -> Tree {
        var reply: [String: Tree] = [
            "description": .text(summary), "content": .object(content.mapValues { ["schema": $0] }),
        ]
        if !headers.isEmpty {
            let pairs = headers.map { ($0, Tree.object(["$ref": .text("#/components/headers/\($0)")])) }
            reply["headers"] = .object(Dictionary(uniqueKeysWithValues: pairs))
        }
        return .object(reply)
    }

    /// The statuses of the errors that this endpoint can answer with.
    private static func statuses(_ endpoint: Endpoint) -> [Int] {
        var statuses: Set<Int> = [400, 403, 405, 500, 503]
        if !endpoint.pathParameters.isEmpty { statuses.formUnion([404, 409]) }
        if endpoint.method != .get { statuses.formUnion([404, 409, 412, 507]) }
        if endpoint.pathParameters.contains("vm") { statuses.formUnion([502, 504]) }
        if endpoint.body != nil { statuses.formUnion([413, 415]) }
        if endpoint.method == .post { statuses.insert(422) }
        if endpoint.method == .put { statuses.formUnion([408, 416]) }
        return statuses.sorted()
    }
}

extension OpenAPI {
    /// The problem replies, by status.
    static var problems: Tree {
        let statuses = Set(ErrorCode.allCases.map(\.status))
        let problem: Tree = [Wire.problem: ["schema": reference(NamedSchema(Problem.self))]]
        var replies: [String: Tree] = [:]
        for status in statuses {
            let codes = ErrorCode.allCases.filter { $0.status == status }.map(\.rawValue).joined(
                separator: ", ")
            replies["Problem\(status)"] = ["description": .text(codes), "content": problem]
        }
        return .object(replies)
    }

    /// The headers of replies.
    static var headers: Tree {
        func header(_ summary: String) -> Tree {
            ["description": .text(summary), "schema": .schema(Schema(type: "string"))]
        }
        return [
            "ETag": header("the revision of the object"),
            "Link": header("<…>; rel=\"next\": the page behind this one"),
            "Location": header("where the new object, or its operation, is"),
            "Vctl-Observed-At": header("when libvirt was last read: RFC 3339"),
        ]
    }
}

extension Schema {
    /// With `?fields=` any property may be missing.
    fileprivate var withoutRequired: Schema {
        var schema = self
        schema.properties = properties?.map { Property(name: $0.name, schema: $0.schema, required: false) }
        return schema
    }
}
