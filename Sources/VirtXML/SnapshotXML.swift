// SPDX-License-Identifier: Apache-2.0

/// A `<domainsnapshot>` document.
public struct SnapshotXML: DocumentView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "domainsnapshot"
    /// The properties.
    public static let fields = SnapshotFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `SnapshotXML`.
public final class SnapshotFields: Sendable {
    /// The name.
    public let name = Field<String>("name")
    /// A text for people.
    public let description = Field<String>("description")
    /// The domain's state: `running`, `shutoff`, `disk-snapshot`.
    public let state = Field<String>("state")
    /// Seconds since 1970.
    public let creationTime = Field<Int>("creationTime")
    /// The snapshot before this one.
    public let parent = Field<String>("parent/name")
    /// `no`, `internal`, `external`.
    public let memoryMode = Field<String>("memory/@snapshot")
    /// The file of the memory, with `external`.
    public let memoryFile = Field<String>("memory/@file")
    /// The disks.
    public let disks = ListField<SnapshotDiskXML>("disks/disk")
    /// The domain as it was.
    public let domain = Field<DomainXML>(view: "domain")
    /// Its saved definition as it was.
    public let inactiveDomain = Field<InactiveDomainXML>(view: "inactiveDomain")
}

/// A `<disk>` of a snapshot.
public struct SnapshotDiskXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "disk"
    /// The properties.
    public static let fields = SnapshotDiskFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `SnapshotDiskXML`.
public final class SnapshotDiskFields: Sendable {
    /// The target: `vda`.
    public let name = Field<String>("@name")
    /// `no`, `internal`, `external`, `manual`.
    public let snapshot = Field<String>("@snapshot")
    /// `file`, `block`.
    public let type = Field<String>("@type")
    /// The new image's format.
    public let driverType = Field<String>("driver/@type")
    /// The new image's file.
    public let sourceFile = Field<String>("source/@file")
    /// The new image's block device.
    public let sourceDev = Field<String>("source/@dev")
}

/// The saved definition in a snapshot: a domain under another name.
public struct InactiveDomainXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "inactiveDomain"
    /// The properties.
    public static let fields = InactiveDomainFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `InactiveDomainXML`.
public final class InactiveDomainFields: Sendable {
    /// The domain's name.
    public let name = Field<String>("name")
    /// The domain's UUID.
    public let uuid = Field<String>("uuid")
    /// Its disks.
    public let disks = ListField<DiskXML>("devices/disk")
}
