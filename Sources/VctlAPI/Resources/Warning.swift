// SPDX-License-Identifier: Apache-2.0

/// Something that needs a person's eye; the same one is stored once and counted.
public struct Warning: Codable, Hashable, Sendable {
    public var id: ObjectID
    /// A stable, dotted code.
    public var code: String
    public var message: String
    /// The next command to run.
    public var hint: String?
    public var subject: ObjectReference?
    public var count: Int
    public var firstSeenAt: Timestamp
    public var lastSeenAt: Timestamp
    public var acknowledged: Bool
    public init(
        id: ObjectID, code: String, message: String, hint: String? = nil, subject: ObjectReference? = nil,
        count: Int, firstSeenAt: Timestamp, lastSeenAt: Timestamp, acknowledged: Bool
    ) {
        self.id = id
        self.code = code
        self.message = message
        self.hint = hint
        self.subject = subject
        self.count = count
        self.firstSeenAt = firstSeenAt
        self.lastSeenAt = lastSeenAt
        self.acknowledged = acknowledged
    }
}

/// One line of the audit: a change, or a refused request.
public struct AuditEntry: Codable, Hashable, Sendable {
    public var sequence: Int64
    public var time: Timestamp
    public var requestor: Operation.Requestor
    /// The endpoint: `vm.create`.
    public var action: String
    /// What it was asked of, as the caller named it.
    public var target: String?
    public var outcome: AuditOutcome
    /// The error code, where it was refused or failed.
    public var code: String?
    public var operation: ObjectID?
    public init(
        sequence: Int64, time: Timestamp, requestor: Operation.Requestor, action: String, target: String?,
        outcome: AuditOutcome, code: String?, operation: ObjectID?
    ) {
        self.sequence = sequence
        self.time = time
        self.requestor = requestor
        self.action = action
        self.target = target
        self.outcome = outcome
        self.code = code
        self.operation = operation
    }
}

/// What became of a request.
public enum AuditOutcome: String, APIEnum {
    case accepted, refused
}
