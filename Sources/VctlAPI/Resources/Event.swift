// SPDX-License-Identifier: Apache-2.0

/// Something that happened, with a place in a gap-free sequence.
public struct Event: Codable, Hashable, Sendable {
    /// 1, 2, 3, …: stored, never given twice.
    public var sequence: Int64
    public var time: Timestamp
    /// `vm.created`, `vm.changed`, `operation.succeeded`, `gap`, …
    public var type: String
    /// What it happened to.
    public var subject: ObjectReference?
    /// The operation that did it.
    public var operation: ObjectID?
    /// Who did it.
    public var origin: EventOrigin
    /// What changed: field → new value, as text.
    public var data: [String: String]
    public init(
        sequence: Int64, time: Timestamp, type: String, subject: ObjectReference? = nil,
        operation: ObjectID? = nil, origin: EventOrigin, data: [String: String] = [:]
    ) {
        self.sequence = sequence
        self.time = time
        self.type = type
        self.subject = subject
        self.operation = operation
        self.origin = origin
        self.data = data
    }
}

/// Who made a change.
public enum EventOrigin: String, APIEnum {
    case vctl, libvirt
}
