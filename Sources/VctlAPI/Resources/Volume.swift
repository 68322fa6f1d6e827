// SPDX-License-Identifier: Apache-2.0

/// Whether a volume can be used.
public enum VolumeState: String, APIEnum {
    /// An operation is making it.
    case creating
    case present
    /// vctl made it, and it is gone.
    case missing
    /// vctl made it, and another file is at its place.
    case replaced
    /// vctl made it, and what is at its place may be another file: the file system does not say.
    case unproven
}

/// One disk or file in a storage pool.
public struct Volume: Codable, Hashable, Sendable {
    /// Always the same for the same path.
    public var id: ObjectID
    /// `POOL/NAME`, as commands name it.
    public var fullName: String
    public var pool: String
    public var name: String
    /// Where it is on the host.
    public var path: String
    public var state: VolumeState
    /// `qcow2`, `raw`, … as its own bytes say, or as it was made.
    public var format: String?
    /// What a guest sees, in bytes; absent where only a tool of the format could tell.
    public var capacityBytes: Int64?
    /// What it takes, in bytes.
    public var allocationBytes: Int64?
    /// The file that it reads from.
    public var backing: String?
    public var labels: [String: String]
    /// Whether vctl made it.
    public var managed: Bool
    public var createdAt: Timestamp?
    /// The operation that is changing it now.
    public var operation: ObjectID?
    /// The VMs that have it as a disk, or read from it.
    public var usedBy: [String]

    public init(id: ObjectID, pool: String, name: String, path: String, state: VolumeState) {
        self.id = id
        self.pool = pool
        self.name = name
        self.path = path
        self.state = state
        fullName = "\(pool)/\(name)"
        (labels, usedBy, managed) = ([:], [], false)
    }
}
