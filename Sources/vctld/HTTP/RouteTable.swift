// SPDX-License-Identifier: Apache-2.0
import HTTPTypes
import VctlAPI

/// Answers a request whose endpoint is known.
typealias Handler = @Sendable (Incoming) async throws -> Reply

/// An endpoint and what answers it.
final class Route: Sendable {
    let endpoint: Endpoint
    let handler: Handler
    /// The names of its query parameters, and of the fields of its objects.
    let query: QueryRules

    init(_ endpoint: Endpoint, _ handler: @escaping Handler) {
        self.endpoint = endpoint
        self.handler = handler
        query = QueryRules(endpoint)
    }
}

/// Finds the route of a method and a path.
struct RouteTable: Sendable {
    private final class Node: Sendable {
        let literals: [String: Node]
        let parameter: Node?
        let routes: [String: Route]
        /// The methods that this path knows, for `Allow`.
        let allow: String

        init(_ routes: [(path: ArraySlice<Substring>, route: Route)]) {
            var here: [String: Route] = [:]
            var deeper: [String: [(ArraySlice<Substring>, Route)]] = [:]
            for (path, route) in routes {
                guard let first = path.first else {
                    here[route.endpoint.method.rawValue] = route
                    continue
                }
                deeper[first.hasPrefix("{") ? "{}" : String(first), default: []].append(
                    (path.dropFirst(), route))
            }
            parameter = deeper.removeValue(forKey: "{}").map { Node($0) }
            literals = deeper.mapValues { Node($0) }
            self.routes = here
            allow = (here.keys.contains("GET") ? ["HEAD"] : []).appending(here.keys).sorted().joined(
                separator: ", ")
        }
    }

    private let root: Node

    /// - Parameter routes: at most one per method and path.
    init(_ routes: [Route]) {
        root = Node(routes.map { ($0.endpoint.path.split(separator: "/")[...], $0) })
    }

    /// A match.
    struct Match: Sendable {
        let route: Route
        /// The values of the path's parameters, in order.
        let parameters: [String]
    }

    /// The route of a request; `HEAD` is a `GET` without its body.
    /// - Throws: ``Refusal`` of code `request.path` or `request.method`.
    func match(_ method: HTTPRequest.Method, _ path: Substring) throws -> Match {
        var parameters: [String] = []
        guard path.utf8.first == UInt8(ascii: "/"), let node = find(path.dropFirst(), &parameters),
            !node.routes.isEmpty
        else {
            throw Problem(
                .requestPath, "there is nothing at \(shown(String(path)))", hint: "GET /v1/openapi.json")
        }
        let wanted = method == .head ? "GET" : method.rawValue
        guard let route = node.routes[wanted] else {
            throw Refusal.method(method.rawValue, path, allow: node.allow)
        }
        return Match(route: route, parameters: parameters)
    }

    private func find(_ path: Substring, _ parameters: inout [String]) -> Node? {
        var node = root
        for segment in path.split(separator: "/", omittingEmptySubsequences: false) {
            if let next = node.literals[String(segment)] {
                node = next
            } else if let next = node.parameter, let value = Percent.decode(segment, plus: false),
                !value.isEmpty
            {
                parameters.append(value)
                node = next
            } else {
                return nil
            }
        }
        return node
    }
}

/// An error with a header of its own.
struct Refusal: Error {
    var problem: Problem
    var headers: HTTPFields

    static func method(_ method: String, _ path: Substring, allow: String) -> Refusal {
        let problem = Problem(
            .requestMethod, "\(shown(method)) is not possible at \(shown(String(path)))",
            hint: "one of: \(allow)")
        return Refusal(problem: problem, headers: [.allow: allow])
    }
}

extension Array where Element == String {
    fileprivate func appending(_ more: some Sequence<String>) -> [String] { self + more }
}

/// Percent-encoding (RFC 3986).
enum Percent {
    /// The decoded text; `nil` where it is none, or no UTF-8, or holds U+0000.
    static func decode(_ text: Substring, plus: Bool) -> String? {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") && plus }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte == UInt8(ascii: "+") && plus ? 0x20 : byte)
                continue
            }
            guard let high = digit(rest.popFirst()), let low = digit(rest.popFirst()) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    /// The text with everything but unreserved characters encoded.
    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8?) -> UInt8? {
        byte.flatMap { Character(Unicode.Scalar($0)).hexDigitValue }.map(UInt8.init)
    }
}
