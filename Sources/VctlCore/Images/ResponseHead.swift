// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The head of an HTTP response, as `curl --dump-header` leaves it: the last one of a chain of redirects.
struct ResponseHead: Sendable {
    let status: Int
    private let fields: [String: String]

    /// `nil` when there is no complete status line yet.
    init?(file: String) {
        guard let data = FileManager.default.contents(atPath: file), data.count <= 1 << 20 else { return nil }
        self.init(text: String(decoding: data, as: UTF8.self))
    }

    init?(text: String) {
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).flatMap {
            $0.split(separator: "\n")
        }
        guard let start = lines.lastIndex(where: { $0.hasPrefix("HTTP/") }) else { return nil }
        let words = lines[start].split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { return nil }
        self.status = status
        var fields: [String: String] = [:]
        for line in lines[(start + 1)...] {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        self.fields = fields
    }

    /// What `If-Range` takes: a strong entity tag, or the time of the last change.
    var validator: String? {
        if let tag = fields["etag"], tag.hasPrefix("\"") { return tag }
        return fields["last-modified"]
    }

    /// The size of the whole content, where it was said.
    var size: Int64? {
        if let range = fields["content-range"] {
            return range.split(separator: "/").last.flatMap { Int64($0) }
        }
        return status == 200 ? fields["content-length"].flatMap { Int64($0) } : nil
    }

    /// Whether this response goes on at `offset` with the content that `first` began.
    func continues(_ first: ResponseHead, at offset: Int64) -> Bool {
        guard status == 206 else { return true }
        let begin = fields["content-range"]?.split(separator: " ").last?.split(separator: "-").first
        return begin.flatMap { Int64($0) } == offset && isOfSameContent(as: first)
    }

    /// Whether nothing in it speaks of another content than `first` began. An error speaks of none.
    func isOfSameContent(as first: ResponseHead) -> Bool {
        guard status == 206 else { return status != 200 }
        if let size, let whole = first.size, size != whole { return false }
        return ["etag", "last-modified"].allSatisfy { name in
            guard let old = first.fields[name], let new = fields[name] else { return true }
            return old == new
        }
    }
}
