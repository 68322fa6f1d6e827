// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What a list request asks for.
public struct ListQuery: Hashable, Sendable {
    /// All of these labels must match.
    public var labels: [String: String] = [:]
    /// `state` or `status`, where asked.
    public var state: String?
    /// Only these fields of each object; all without it.
    public var fields: [String]?
    public var limit: Int?
    /// The cursor of the previous page's `Link`.
    public var after: String?
    /// Everything.
    public init() {}
}

/// JSON that is ready to be sent.
public struct Rendered: Sendable {
    /// One JSON value.
    public var json: String
    /// The entity tag, with quotes; absent for lists.
    public var etag: String?
    /// The cursor of the next page; absent on the last.
    public var next: String?
    /// When libvirt was last read, for objects that libvirt knows.
    public var observedAt: Timestamp?

    /// A value and its tag.
    public init(json: String, etag: String? = nil, next: String? = nil, observedAt: Timestamp? = nil) {
        self.json = json
        self.etag = etag
        self.next = next
        self.observedAt = observedAt
    }
}

/// The reply to a request that changes something.
public enum Accepted: Sendable {
    /// `202`: the work goes on.
    case operation(Operation)
    /// `200`: a dry run.
    case preview(Preview)
    /// `201`: an image that waits for its content.
    case announced(Image)
}
