// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import HTTPTypes
import NIOCore
import VctlAPI
import VctlCore

/// An answer, before it is written.
struct Reply: Sendable {
    /// Writes the bytes of a stream; returning ends it.
    typealias Stream = @Sendable (StreamSink) async throws -> Void

    /// Has the socket to itself until it returns, which ends the connection.
    typealias Session = @Sendable (ClientStream) async -> Void

    enum Body: Sendable {
        case none
        case bytes(ByteBuffer)
        case stream(Stream)
        case upgrade(Session)
    }

    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: Body

    init(_ status: HTTPResponse.Status, _ headers: HTTPFields = [:], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Text of a media type.
    init(text: String, _ mediaType: String, status: HTTPResponse.Status = .ok) {
        self.init(status, [.contentType: mediaType], body: .bytes(ByteBuffer(string: text)))
    }

    /// A value as JSON.
    static func json<T: Encodable>(_ value: T, status: HTTPResponse.Status = .ok) throws -> Reply {
        Reply(text: try encode(value), Self.jsonType, status: status)
    }

    /// An error as `application/problem+json`.
    static func problem(_ problem: Problem) -> Reply {
        let text = (try? encode(problem)) ?? "{\"code\":\"internal.error\",\"status\":500}"
        var reply = Reply(text: text, Wire.problem, status: HTTPResponse.Status(code: problem.status))
        if problem.status == 503 { reply.headers[.retryAfter] = "1" }
        return reply
    }

    /// `101`, and from then on the socket is the session's.
    static func switching(_ headers: HTTPFields, to session: @escaping Session) -> Reply {
        var headers = headers
        headers[.connection] = "Upgrade"
        headers[.upgrade] = Wire.stream
        return Reply(.switchingProtocols, headers, body: .upgrade(session))
    }

    /// `204`.
    static let nothing = Reply(.noContent)

    static let jsonType = "application/json"

    private static func encode<T: Encodable>(_ value: T) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

extension HTTPField.Name {
    static let observedAt = Self(Wire.observedAt)!
    static let idempotencyKey = Self(Wire.idempotencyKey)!
    static let session = Self(Wire.session)!
    static let libvirt = Self("Vctl-Libvirt")!
    static let lastEventID = Self("Last-Event-ID")!
    static let link = Self("Link")!
}
