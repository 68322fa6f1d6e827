// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import VctlAPI

/// A request, complete but for the connection that it goes over.
public struct Request: Sendable {
    /// `GET`, `POST`, …
    public var method: String
    /// Path and query, encoded.
    public var target: String
    /// Headers beyond `Host` and `Content-Length`.
    public var headers: [(name: String, value: String)] = []
    /// The body, where there is one.
    public var body: [UInt8]?

    /// A request as it is, for an already encoded target.
    public init(method: String, target: String) {
        self.method = method
        self.target = target
    }

    /// A call of an endpoint.
    /// - Parameters:
    ///   - parameters: what stands for the `{…}` of the path, in order; encoded here.
    ///   - query: names and values; encoded here.
    public init(_ endpoint: Endpoint, _ parameters: [String] = [], query: [(String, String)] = []) {
        var values = parameters[...]
        let segments = endpoint.path.split(separator: "/").map { segment -> String in
            guard segment.hasPrefix("{") else { return String(segment) }
            return encoded(values.popFirst() ?? "")
        }
        let pairs = query.map { "\(encoded($0.0))=\(encoded($0.1))" }
        let suffix = pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
        self.init(method: endpoint.method.rawValue, target: "/" + segments.joined(separator: "/") + suffix)
    }

    /// The same request with another header.
    public func header(_ name: String, _ value: String) -> Request {
        var copy = self
        copy.headers.append((name, value))
        return copy
    }

    /// The same request with a JSON body; secrets in it are sent as they are.
    public func json(_ value: some Encodable, as type: String = "application/json") throws -> Request {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        encoder.userInfo[.revealsSecrets] = true
        return bytes([UInt8](try encoder.encode(value)), as: type)
    }

    /// The same request with bytes as its body.
    public func bytes(_ bytes: [UInt8], as type: String) -> Request {
        var copy = header("Content-Type", type)
        copy.body = bytes
        return copy
    }

    /// Whether sending it twice does no more than sending it once.
    public var isRepeatable: Bool {
        method != "POST" || headers.contains { $0.name == Wire.idempotencyKey }
    }

    /// The first line and the headers.
    func head(contentLength: Int64?) -> [UInt8] {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: vctld\r\n"
        for (name, value) in headers { text += "\(oneLine(name)): \(oneLine(value))\r\n" }
        if let contentLength { text += "Content-Length: \(contentLength)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}

/// A line break inside a header would begin another one.
private func oneLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
}

/// Percent-encoding of everything that is not unreserved in RFC 3986.
func encoded(_ text: String) -> String {
    if text.utf8.allSatisfy(isUnreserved) { return text == "." || text == ".." ? dotted(text) : text }
    var result = ""
    for byte in text.utf8 {
        if isUnreserved(byte) {
            result.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
    return result
}

/// A segment of dots alone would climb in the path.
private func dotted(_ text: String) -> String { String(repeating: "%2E", count: text.utf8.count) }

private func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
    default: false
    }
}
