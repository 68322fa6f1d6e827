// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import HummingbirdCore
import VctlAPI
import VctlCore

/// What the headers must say about the body.
enum BodyRules {
    /// - Throws: ``Problem`` `request.tooLarge`, `request.mediaType` or `request.invalid`.
    static func check(_ endpoint: Endpoint, _ headers: HTTPFields, _ body: IncomingBody) throws {
        guard body.exists else { return }
        guard let schema = endpoint.body else {
            throw Problem(.requestInvalid, "\(endpoint.method.rawValue) \(endpoint.path) takes no body")
        }
        guard !schema.isBytes else { return }
        if let announced = body.announced, announced > Wire.maximumBody {
            throw IncomingBody.tooLarge(Wire.maximumBody)
        }
        let allowed = mediaTypes(endpoint)
        let type = headers[.contentType] ?? ""
        guard allowed.contains(essence(of: type)) else {
            let given = type.isEmpty ? "none was given" : "not \(shown(type))"
            throw Problem(
                .requestMediaType, "the Content-Type must be \(allowed.joined(separator: " or ")); \(given)",
                hint: "curl -H 'Content-Type: \(allowed[0])'")
        }
    }

    private static func mediaTypes(_ endpoint: Endpoint) -> [String] {
        endpoint.method == .patch ? [Wire.mergePatch, Reply.jsonType] : [Reply.jsonType]
    }

    /// `Application/JSON; charset=utf-8` → `application/json`.
    private static func essence(of type: String) -> String {
        type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    }
}

/// `Idempotency-Key`.
enum IdempotencyKey {
    /// The key with everything that must be the same under it; `nil` where none was sent.
    /// - Throws: ``Problem`` `request.invalid`.
    static func read(_ request: Request, _ body: [UInt8]) throws -> Idempotency? {
        guard let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            let problem = "must be 1 to 255 visible ASCII characters"
            throw Problem(
                .requestInvalid, "Idempotency-Key: \(problem)",
                errors: [FieldProblem(Wire.idempotencyKey, problem)])
        }
        let line = "\(request.method.rawValue) \(request.head.path ?? "")\n"
        return Idempotency(key: key, content: Array(line.utf8) + body)
    }
}

/// Entity tags (RFC 9110).
enum EntityTag {
    /// The value of `If-Match`.
    /// - Throws: ``Problem`` `request.invalid` for what no entity tag can be: it would never match.
    static func expected(_ header: String?) throws -> String? {
        guard let header, header != "*" else { return header }
        let isList = header.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { candidate in
            let text = candidate.filter { $0 != " " && $0 != "\t" }
            return text.count >= 2 && text.hasSuffix("\"") && (text.hasPrefix("\"") || text.hasPrefix("W/\""))
        }
        guard isList else {
            let problem = "must be * or the ETag of a GET, with its quotes"
            throw Problem(
                .requestInvalid, "If-Match: \(problem)", errors: [FieldProblem("If-Match", problem)])
        }
        return header
    }

    /// Whether a header's list names the tag; weak and strong are the same for `If-None-Match`.
    static func list(_ header: String, names tag: String) -> Bool {
        if header == "*" { return true }
        return header.split(separator: ",").contains { candidate in
            let text = candidate.drop { $0 == " " || $0 == "\t" }
            let strong = text.hasPrefix("W/") ? text.dropFirst(2) : text
            return strong.prefix { $0 != " " && $0 != "\t" } == tag
        }
    }
}
