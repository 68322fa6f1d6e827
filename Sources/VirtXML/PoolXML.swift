// SPDX-License-Identifier: Apache-2.0

/// A storage `<pool>` document. Sizes are bytes.
public struct PoolXML: DocumentView, MetadataView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "pool"
    /// The properties.
    public static let fields = PoolFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `PoolXML`.
public final class PoolFields: Sendable {
    /// `dir`, `fs`, `netfs`, `logical`, `iscsi`, `iscsi-direct`, `disk`, `rbd`, `gluster`, `scsi`.
    public let type = Field<String>("@type")
    /// The name.
    public let name = Field<String>("name")
    /// The UUID.
    public let uuid = Field<String>("uuid")
    /// How much it can hold.
    public let capacityBytes = Field<UInt64>(size: "capacity", unit: "bytes")
    /// How much is taken.
    public let allocationBytes = Field<UInt64>(size: "allocation", unit: "bytes")
    /// How much is free.
    public let availableBytes = Field<UInt64>(size: "available", unit: "bytes")
    /// The volume group, RBD pool or gluster volume.
    public let sourceName = Field<String>("source/name")
    /// The exported directory.
    public let sourceDir = Field<String>("source/dir/@path")
    /// Block devices, or an iSCSI target's name.
    public let sourceDevices = ListField<String>(values: "source/device/@path")
    /// `nfs`, `lvm2`, `gpt`, `ext4`.
    public let sourceFormat = Field<String>("source/format/@type")
    /// The servers.
    public let sourceHosts = ListField<SourceHostXML>("source/host")
    /// Our iSCSI name.
    public let sourceInitiator = Field<String>("source/initiator/iqn/@name")
    /// Where volumes are found in the host.
    public let targetPath = Field<String>("target/path")
    /// The directory's mode, octal.
    public let targetMode = Field<String>("target/permissions/mode")
    /// The directory's owner.
    public let targetOwner = Field<Int>("target/permissions/owner")
    /// The directory's group.
    public let targetGroup = Field<Int>("target/permissions/group")
}

/// A storage `<volume>` document. Sizes are bytes.
public struct VolumeXML: DocumentView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "volume"
    /// The properties.
    public static let fields = VolumeFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `VolumeXML`.
public final class VolumeFields: Sendable {
    /// `file`, `block`, `dir`, `network`; told, not set.
    public let type = Field<String>("@type")
    /// The name.
    public let name = Field<String>("name")
    /// libvirt's name for it among all pools.
    public let key = Field<String>("key")
    /// What the guest sees.
    public let capacityBytes = Field<UInt64>(size: "capacity", unit: "bytes")
    /// What it takes.
    public let allocationBytes = Field<UInt64>(size: "allocation", unit: "bytes")
    /// Its file's or device's size.
    public let physicalBytes = Field<UInt64>(size: "physical", unit: "bytes")
    /// The path in the host.
    public let targetPath = Field<String>("target/path")
    /// `qcow2`, `raw`, `iso`, `dir`.
    public let targetFormat = Field<String>("target/format/@type")
    /// The file's mode, octal.
    public let targetMode = Field<String>("target/permissions/mode")
    /// The file's owner.
    public let targetOwner = Field<Int>("target/permissions/owner")
    /// The file's group.
    public let targetGroup = Field<Int>("target/permissions/group")
    /// qcow2's version: `1.1`.
    public let targetCompat = Field<String>("target/compat")
    /// qcow2's lazy reference counts.
    public let lazyRefcounts = Flag("target/features/lazy_refcounts")
    /// qcow2's cluster size.
    public let clusterSizeBytes = Field<UInt64>(size: "target/clusterSize", unit: "B")
    /// The image under it.
    public let backingPath = Field<String>("backingStore/path")
    /// That image's format.
    public let backingFormat = Field<String>("backingStore/format/@type")
}
