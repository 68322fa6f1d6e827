// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import VctlAPI
import VctlCore

/// A request that has passed every check that needs no knowledge of the objects: what a handler sees.
struct Incoming: Sendable {
    let route: Route
    /// The values of the path's parameters, in order.
    let parameters: [String]
    let query: Query
    let headers: HTTPFields
    /// The body of an endpoint that takes JSON.
    var json: [UInt8] = []
    /// The body of an endpoint that takes bytes.
    let body: IncomingBody
    let connection: Connection
    var context: RequestContext

    /// The object that the path names.
    func reference() throws -> Reference {
        do {
            return try Reference(checking: parameters[0])
        } catch {
            let name = route.endpoint.pathParameters[0]
            throw Problem(
                .requestInvalid, "\(name): \(error.problem)", errors: [FieldProblem(name, error.problem)])
        }
    }

    /// The JSON body as a value; an empty body is as good as `{}`.
    /// - Throws: ``Problem`` with the place of a syntax error, or with every wrong field.
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard !json.isEmpty else { return try StrictDecoder.decode(type, from: .object([:])) }
        do {
            return try StrictDecoder.decode(type, from: try JSONParser.parse(json))
        } catch let error as JSONSyntaxError {
            throw Problem(.requestMalformed, "the body is no JSON: \(error)")
        }
    }

    /// - Throws: ``Problem`` `request.invalid` where the client does not ask for a stream.
    func requireUpgrade() throws {
        guard headers[.upgrade]?.lowercased() != Wire.stream else { return }
        throw Problem(
            .requestInvalid,
            "this is a stream: the request needs the headers \"Connection: Upgrade\" and \"Upgrade: "
                + "\(Wire.stream)\"",
            hint: "for clients that cannot upgrade: GET …/console/log?follow and POST …/console/input")
    }

    /// Whether the client asks for JSON, and not for a stream of events.
    var wantsJSON: Bool {
        guard let accept = headers[.accept] else { return false }
        return accept.contains("application/json") && !accept.contains("text/event-stream")
    }
}
