// SPDX-License-Identifier: Apache-2.0

/// Whether a link is there.
public enum LinkState: String, APIEnum {
    /// The kernel has it.
    case present
    /// It was made, and somebody has removed it; the next start of the daemon makes it again.
    case missing
}

/// A TAP of the host: an Ethernet card whose cable ends in a process.
public struct TAP: Codable, Hashable, Sendable {
    /// Absent where vctl did not make it.
    public var id: ObjectID?
    /// The link's name.
    public var name: String
    /// Whether this vctl made it. All others are shown, and never changed.
    public var managed: Bool
    public var state: LinkState
    /// The user who may open it; absent: only who may administer the network.
    public var owner: String?
    /// So many times it may be opened at once; absent where nobody has said how many.
    public var queues: Int?
    /// The bridge that it is a port of.
    public var bridge: String?
    public var up: Bool
    /// Whether a process has it open.
    public var inUse: Bool
    /// The VM whose NIC it is.
    public var vm: String?
    public var mac: String?
    public var mtu: Int?
    public var labels: [String: String]
    public var createdAt: Timestamp?
    /// The operation that is changing it now.
    public var operation: ObjectID?

    /// A TAP of which nothing but its name is known.
    public init(name: String, state: LinkState) {
        self.name = name
        self.state = state
        managed = false
        up = false
        inUse = false
        labels = [:]
    }
}

/// A request for a new TAP, which is there until it is deleted, after a reboot, too.
public struct TAPCreate: Codable, Sendable {
    public var name: LinkName
    /// A user, by name or number, who may open it without other rights.
    public var owner: String?
    /// The bridge that it becomes a port of.
    public var bridge: LinkName?
    /// So many times it may be opened at once, 1 to 256; 1 without it.
    public var queues: Int?
    public var labels: [String: String]?
    /// The least request; everything else is set afterwards.
    public init(name: LinkName) { self.name = name }
}
