// SPDX-License-Identifier: Apache-2.0

/// How far an operation is.
public enum OperationStatus: String, APIEnum {
    case pending, running, cancelling, succeeded, failed, cancelled, stuck

    /// Whether nothing more will happen by itself.
    public var isFinal: Bool { self == .succeeded || self == .failed || self == .cancelled }
}

/// Work that takes longer than a moment, and outlives the daemon.
public struct Operation: Codable, Hashable, Sendable {
    public var id: ObjectID
    /// `vm.create`, `image.import`, …
    public var kind: String
    public var status: OperationStatus
    /// The operation that started this one.
    public var parent: ObjectID?
    public var createdAt: Timestamp
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?
    public var requestor: Requestor
    /// What it works on.
    public var resources: [ObjectReference]
    public var progress: Progress?
    public var steps: [Step]
    /// Whether `cancel` has an effect now.
    public var cancellable: Bool
    /// The object that came of it.
    public var result: ObjectReference?
    public var warnings: [String]
    public var error: Problem?

    /// Who asked.
    public struct Requestor: Codable, Hashable, Sendable {
        public var uid: Int
        public var user: String?
        public var pid: Int
        public init(uid: Int, user: String? = nil, pid: Int) {
            self.uid = uid
            self.user = user
            self.pid = pid
        }
    }

    /// How far the present phase is.
    public struct Progress: Codable, Hashable, Sendable {
        /// `downloading`, `converting`, …
        public var phase: String
        public var done: Int64
        /// Absent where it is not known.
        public var total: Int64?
        /// `bytes` or `items`.
        public var unit: String
        public init(phase: String, done: Int64, total: Int64? = nil, unit: String = "bytes") {
            self.phase = phase
            self.done = done
            self.total = total
            self.unit = unit
        }
    }

    /// One journaled step.
    public struct Step: Codable, Hashable, Sendable {
        public var key: String
        public var status: StepStatus
        public init(key: String, status: StepStatus) {
            self.key = key
            self.status = status
        }
    }

    public init(
        id: ObjectID, kind: String, status: OperationStatus, parent: ObjectID? = nil, createdAt: Timestamp,
        requestor: Requestor, resources: [ObjectReference]
    ) {
        self.id = id
        self.kind = kind
        self.status = status
        self.parent = parent
        self.createdAt = createdAt
        self.requestor = requestor
        self.resources = resources
        steps = []
        cancellable = false
        warnings = []
    }
}

/// How far a step is.
public enum StepStatus: String, APIEnum {
    case started, done, undoing, undone, undoFailed
}

/// An object by kind, id and name.
public struct ObjectReference: Codable, Hashable, Sendable {
    /// `vm`, `image`, …
    public var kind: ObjectKind
    public var id: ObjectID
    public var name: String
    public init(kind: ObjectKind, id: ObjectID, name: String) {
        self.kind = kind
        self.id = id
        self.name = name
    }
}

/// The kinds of object that have rows in the inventory.
public enum ObjectKind: String, APIEnum {
    case vm, network, forward, pool, volume, image, profile, bridge, tap, securitygroup, operation, warning
    case daemon
}
