// SPDX-License-Identifier: Apache-2.0

/// What a storage pool is made of.
public enum PoolType: String, APIEnum {
    /// A directory of the host.
    case dir
    /// A file system on a block device.
    case fs
    /// A directory that another host exports.
    case nfs
    /// A volume group of LVM.
    case lvm
    /// A thin pool of LVM.
    case lvmThin = "lvm-thin"
    /// The LUNs of an iSCSI target.
    case iscsi
    /// A whole disk or partition.
    case disk
}

/// Whether volumes can be used.
public enum PoolState: String, APIEnum {
    case running, stopped
    /// It should be there, and is not: libvirt has forgotten it, or its directory or device is gone.
    case missing
    /// It does not answer: a look at its directory hangs.
    case unknown
}

/// Whether somebody should look after it.
public enum PoolHealth: String, APIEnum {
    case ok, warning, critical
    /// Nobody knows at present.
    case unknown
}

/// A storage pool of libvirt, whoever made it.
public struct Pool: Codable, Hashable, Sendable {
    /// libvirt's UUID.
    public var id: ObjectID
    public var name: String
    /// Absent where vctl has no word for it.
    public var type: PoolType?
    /// libvirt's word for its type: `dir`, `netfs`, `logical`, …
    public var backend: String
    public var state: PoolState
    public var health: PoolHealth
    /// What is wrong with it.
    public var problem: String?
    /// The directory of the host where its volumes are.
    public var target: String?
    /// The device, export or volume group that it is made of.
    public var source: String?
    /// Bytes that it can hold.
    public var capacityBytes: Int64?
    /// Bytes that are taken, by whomever.
    public var allocationBytes: Int64?
    /// Bytes that can still be written.
    public var availableBytes: Int64?
    /// How many volumes are in it.
    public var volumes: Int
    public var labels: [String: String]
    /// Whether vctl made or adopted it, and so may change it.
    public var managed: Bool
    public var autostart: Bool
    public var protected: Bool
    /// The VMs that have disks in it.
    public var usedBy: [String]
    public var createdAt: Timestamp?
    /// When it was looked at.
    public var observedAt: Timestamp
    /// The operation that is changing it now.
    public var operation: ObjectID?

    public init(id: ObjectID, name: String, backend: String, state: PoolState, observedAt: Timestamp) {
        self.id = id
        self.name = name
        self.backend = backend
        self.state = state
        self.observedAt = observedAt
        health = .ok
        (labels, usedBy, volumes) = ([:], [], 0)
        (managed, autostart, protected) = (false, false, false)
    }
}
