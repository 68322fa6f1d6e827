// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What answers each endpoint, by the endpoint's id.
struct HandlerTable: Sendable {
    private(set) var handlers: [String: Handler] = [:]
    /// The names of the types that the handlers decode bodies as.
    private(set) var bodies: [String: String] = [:]

    /// A handler of an endpoint without a JSON body.
    mutating func on(_ id: String, _ handler: @escaping Handler) {
        precondition(handlers.updateValue(handler, forKey: id) == nil, "\(id) has two handlers")
    }

    /// A handler that gets the decoded body.
    mutating func on<Body: Decodable & SendableMetatype>(
        _ id: String, _ type: Body.Type, _ handler: @escaping @Sendable (Incoming, Body) async throws -> Reply
    ) {
        on(id) { incoming in try await handler(incoming, try incoming.decode(type)) }
        bodies[id] = String(describing: type)
    }

    /// The endpoints with their handlers; an endpoint without one is not served.
    func routes(_ endpoints: [Endpoint] = Endpoints.all) -> [Route] {
        endpoints.compactMap { endpoint in handlers[endpoint.id].map { Route(endpoint, $0) } }
    }
}
