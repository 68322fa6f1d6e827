// SPDX-License-Identifier: Apache-2.0

/// What can be done with an image.
public enum ImageState: String, APIEnum {
    /// Waits for its content.
    case uploading
    /// Being downloaded, checked or converted.
    case importing
    /// Usable.
    case ready
    /// Its file is not where it was.
    case missing
}

/// The format of a disk image.
public enum DiskFormat: String, APIEnum {
    case qcow2, raw, vmdk, vdi, vhdx, vpc
}

/// A disk image that VMs are created from. Its file never changes once it is ready.
public struct Image: Codable, Hashable, Sendable {
    public var id: ObjectID
    public var name: Name
    public var description: String?
    public var state: ImageState
    /// The format that it is stored in.
    public var format: DiskFormat?
    /// The guest's size in bytes.
    public var virtualSizeBytes: Int64?
    /// Bytes that it takes on the host.
    public var sizeBytes: Int64?
    /// `sha256:` and the digest of the file that was imported, before any conversion.
    public var checksum: String?
    /// The URL it came from, without credentials, or `vm:NAME`; absent for an upload.
    public var source: String?
    public var labels: [String: String]
    public var protected: Bool
    /// VMs whose disks read from it.
    public var usedBy: [String]
    /// Bytes received, while it is `uploading`.
    public var receivedBytes: Int64?
    public var createdAt: Timestamp
    /// The operation that is changing it now.
    public var operation: ObjectID?

    public init(id: ObjectID, name: Name, state: ImageState, createdAt: Timestamp) {
        self.id = id
        self.name = name
        self.state = state
        self.createdAt = createdAt
        labels = [:]
        protected = false
        usedBy = []
    }
}
