// SPDX-License-Identifier: Apache-2.0

/// A `<domaincheckpoint>` document.
public struct CheckpointXML: DocumentView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "domaincheckpoint"
    /// The properties.
    public static let fields = CheckpointFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `CheckpointXML`.
public final class CheckpointFields: Sendable {
    /// The name.
    public let name = Field<String>("name")
    /// A text for people.
    public let description = Field<String>("description")
    /// Seconds since 1970.
    public let creationTime = Field<Int>("creationTime")
    /// The checkpoint before this one.
    public let parent = Field<String>("parent/name")
    /// The disks.
    public let disks = ListField<CheckpointDiskXML>("disks/disk")
    /// The domain as it was.
    public let domain = Field<DomainXML>(view: "domain")
}

/// A `<disk>` of a checkpoint.
public struct CheckpointDiskXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "disk"
    /// The properties.
    public static let fields = CheckpointDiskFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `CheckpointDiskXML`.
public final class CheckpointDiskFields: Sendable {
    /// The target: `vda`.
    public let name = Field<String>("@name")
    /// `no`, `bitmap`.
    public let checkpoint = Field<String>("@checkpoint")
    /// The bitmap's name.
    public let bitmap = Field<String>("@bitmap")
    /// Bytes dirty since then, when asked for.
    public let sizeBytes = Field<UInt64>("@size")
}
