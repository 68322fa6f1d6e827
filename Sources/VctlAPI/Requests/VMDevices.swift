// SPDX-License-Identifier: Apache-2.0

/// One more disk for a VM.
public struct VMDiskAdd: Codable, Sendable {
    /// The size of a new disk.
    public var sizeBytes: ByteCount?
    /// `default` without it.
    public var pool: Reference?
    public var bus: DiskBus?
    public var format: DiskFormat?
    public var preallocation: Preallocation?
    /// An existing disk on the host instead of a new one, for admins.
    public var path: String?
    /// Whether the guest may only read an existing one.
    public var readOnly: Bool?
    public init() {}

    /// What a new disk is to be.
    public var spec: DiskSpec {
        var spec = DiskSpec(sizeBytes: sizeBytes)
        (spec.pool, spec.bus, spec.format, spec.preallocation) = (pool, bus, format, preallocation)
        return spec
    }
}

/// How large a disk shall be.
public struct VMDiskResize: Codable, Sendable {
    /// More than it has: no guest survives a disk that shrinks.
    public var sizeBytes: ByteCount
    public init(sizeBytes: ByteCount) { self.sizeBytes = sizeBytes }
}

/// What lies in a drive.
public struct VMDiskInsert: Codable, Sendable {
    /// An ISO on the host.
    public var path: String
    public init(path: String) { self.path = path }
}
