// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import VctlAPI

/// The first line and the headers of a reply.
public struct ReplyHead: Sendable {
    /// The HTTP status.
    public let status: Int
    /// Names in lower case, in the order they came.
    public let headers: [(name: String, value: String)]

    /// Makes a head; header names in lower case.
    public init(status: Int, headers: [(name: String, value: String)]) {
        self.status = status
        self.headers = headers
    }

    /// The first header of that name, whatever its case.
    public subscript(name: String) -> String? {
        let wanted = name.lowercased()
        return headers.first { $0.name == wanted }?.value
    }
}

/// A whole reply.
public struct Reply: Sendable {
    /// Status and headers.
    public let head: ReplyHead
    /// The body, byte for byte as it came.
    public let bytes: [UInt8]

    /// Makes a reply.
    public init(head: ReplyHead, bytes: [UInt8]) {
        self.head = head
        self.bytes = bytes
    }

    /// The body as a type of the API.
    /// - Throws: ``ClientError/malformed(_:)`` where it is none.
    public func decoded<T: Decodable>(as type: T.Type = T.self) throws -> T {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw ClientError.malformed("no \(type): \(explained(error))")
        }
    }

    /// The body as a tree.
    /// - Throws: ``ClientError/malformed(_:)`` where it is no JSON.
    public func tree() throws -> JSONNode { try JSONNode(parsing: bytes) }

    /// The error that the reply carries; one made from the status where the body is something else.
    public var problem: Problem? {
        guard head.status >= 400 else { return nil }
        if let problem = try? JSONDecoder().decode(Problem.self, from: Data(bytes)) { return problem }
        var problem = Problem(.internalError, "the daemon answered with status \(head.status)")
        problem.status = head.status
        problem.code = "http.\(head.status)"
        problem.type = "about:blank"
        return problem
    }
}

private func explained(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return String(describing: error) }
    switch error {
    case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    @unknown default: return String(describing: error)
    }
}
