// SPDX-License-Identifier: Apache-2.0

extension Endpoints {
    static func list<T: Decodable & SendableMetatype>(
        _ id: String, _ path: String, _ summary: String, _ type: T.Type, _ query: [QueryParameter],
        after: QueryParameter = .after, _ role: Role = .viewer
    ) -> Endpoint {
        call(.get, id, path, summary, nil, .list, type, query + [.fields, .limit, after], role)
    }

    static func get<T: Decodable & SendableMetatype>(
        _ id: String, _ path: String, _ summary: String, _ type: T.Type
    ) -> Endpoint {
        call(.get, id, path, summary, nil, .value, type, [], .viewer)
    }

    static func create<T: Decodable & SendableMetatype>(
        _ id: String, _ path: String, _ summary: String, _ type: T.Type, _ role: Role,
        _ query: [QueryParameter]
    ) -> Endpoint {
        call(.post, id, path, summary, type, .operation, Operation.self, query, role)
    }

    static func delete(
        _ id: String, _ path: String, _ summary: String, _ query: [QueryParameter], _ role: Role = .operate
    ) -> Endpoint {
        call(.delete, id, path, summary, nil, .operation, Operation.self, query, role)
    }

    static func action<T: Decodable & SendableMetatype>(
        _ id: String, _ verb: String, _ summary: String, _ type: T.Type, _ role: Role = .operate,
        _ query: [QueryParameter] = [.dryRun]
    ) -> Endpoint {
        call(
            .post, id, "/v1/vms/{vm}/actions/\(verb)", summary, type, .operation, Operation.self, query, role
        )
    }

    static func call<Reply: Decodable & SendableMetatype>(
        _ method: Method, _ id: String, _ path: String, _ summary: String,
        _ body: (any (Decodable & SendableMetatype).Type)?,
        _ kind: ReplyKind, _ reply: Reply.Type, _ query: [QueryParameter] = [], _ role: Role = .operate
    ) -> Endpoint {
        Endpoint(
            id: id, method: method, path: path, summary: summary, role: role, query: query,
            body: body.map { named($0) }, reply: reply == Never?.self ? nil : NamedSchema(reply), kind: kind)
    }

    static func call(
        _ method: Method, _ id: String, _ path: String, _ summary: String, bytes: String, _ role: Role,
        _ kind: ReplyKind = .nothing, query: [QueryParameter] = []
    ) -> Endpoint {
        let reply = kind == .operation ? NamedSchema(Operation.self) : nil
        return Endpoint(
            id: id, method: method, path: path, summary: summary, role: role, query: query,
            body: NamedSchema(bytes: bytes), reply: reply, kind: kind)
    }

    private static func named<T: Decodable & SendableMetatype>(_ type: T.Type) -> NamedSchema {
        NamedSchema(type)
    }
}

extension QueryParameter {
    static let label = QueryParameter(
        "label", Schema(type: "string"), "KEY=VALUE; may be repeated, all must match")
    static let state = QueryParameter("state", VMState.schema, "only those in this state")
    static let imageState = QueryParameter("state", ImageState.schema, "only those in this state")
    static let operationStatus = QueryParameter("status", OperationStatus.schema, "only those of this status")
    static let fields = QueryParameter("fields", Schema(type: "string"), "only these fields, by comma")
    static let limit = QueryParameter(
        "limit", Schema(type: "integer", minimum: 1, maximum: 10_000), "at most so many")
    static let after = QueryParameter(
        "after", Schema(type: "string", pattern: "^[^\\u0000]*$"),
        "go on behind this one, from the Link header")
    static let afterNumber = QueryParameter(
        "after", Schema(type: "integer", format: "int64", minimum: 0),
        "go on behind this one, from the Link header")
    static let dryRun = QueryParameter("dryRun", Bool.schema, "check everything, change nothing")
    static let force = QueryParameter("force", Bool.schema, "override the guard that the error named")
    static let confirmTimeout = QueryParameter(
        "confirmTimeoutSeconds", Schema(type: "integer", minimum: 10, maximum: 3600),
        "it goes back unless it is confirmed within so many seconds")
    static let keepDisks = QueryParameter("keepDisks", Bool.schema, "leave the disks where they are")
    static let inactive = QueryParameter("inactive", Bool.schema, "the definition of the next start")
    static let follow = QueryParameter("follow", Bool.schema, "go on as more is printed")
    static let tail = QueryParameter(
        "tail", Schema(type: "integer", minimum: 0, maximum: 1 << 30), "only the last so many bytes")
    static let readOnly = QueryParameter("readOnly", Bool.schema, "only watch; there may be any number")
    static let since = QueryParameter(
        "since", Schema(type: "integer", format: "int64", minimum: 0), "those after this sequence number")
    static let path = QueryParameter(
        "path", Schema(type: "string", pattern: "^[^\\u0000]+$"), "an absolute path in the guest")
    static let mode = QueryParameter(
        "mode", Schema(type: "string", pattern: "^[0-7]{3,4}$"), "the file's mode; without it as it was")
    static let timeout = QueryParameter(
        "timeout", Schema(type: "string", pattern: "^[0-9]{1,6}(ms|s|m|h)?$"),
        "how long to wait, 30s without it")
}
