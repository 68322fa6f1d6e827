// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import NIOCore
import VctlAPI
import VctlCore

extension Incoming {
    /// One object: with its tag; `304` where the client has that one.
    func reply(_ rendered: Rendered) -> Reply {
        var headers: HTTPFields = [.contentType: Reply.jsonType]
        if let tag = rendered.etag { headers[.eTag] = tag }
        if let observed = rendered.observedAt { headers[.observedAt] = observed.description }
        if let tag = rendered.etag, let known = self.headers[.ifNoneMatch], EntityTag.list(known, names: tag)
        {
            headers[.contentType] = nil
            return Reply(.notModified, headers)
        }
        if let next = rendered.next { headers[.link] = "<\(nextPage(next))>; rel=\"next\"" }
        return Reply(.ok, headers, body: .bytes(ByteBuffer(string: rendered.json)))
    }

    /// The same request, behind a cursor.
    private func nextPage(_ cursor: String) -> String {
        var pairs: [String] = []
        for (name, values) in query.values.sorted(by: { $0.key < $1.key }) where name != "after" {
            pairs += values.map { "\(name)=\(Percent.encode($0))" }
        }
        pairs.append("after=\(Percent.encode(cursor))")
        var parameters = parameters[...]
        let path = route.endpoint.path.split(separator: "/").map { segment in
            segment.hasPrefix("{") ? Percent.encode(parameters.popFirst() ?? "") : String(segment)
        }
        return "/\(path.joined(separator: "/"))?\(pairs.joined(separator: "&"))"
    }

    /// What became of a request that changes something.
    func reply(_ accepted: Accepted) throws -> Reply {
        switch accepted {
        case .preview(let preview): return try .json(preview)
        case .operation(let operation):
            var reply = try Reply.json(operation, status: .accepted)
            reply.headers[.location] = "/v1/operations/\(operation.id)"
            return reply
        case .announced(let image):
            var reply = try Reply.json(image, status: .created)
            reply.headers[.location] = "/v1/images/\(image.id)"
            return reply
        }
    }
}
