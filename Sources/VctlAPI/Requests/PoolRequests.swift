// SPDX-License-Identifier: Apache-2.0

/// A request for a new pool.
public struct PoolCreate: Codable, Sendable {
    public var name: Name
    public var type: PoolType
    /// What it is made of. Of a directory it is as good as `target`.
    public var source: String?
    /// The directory where its volumes are; made where there is none.
    public var target: String?
    public var labels: [String: String]?
    public var protected: Bool?
    /// Whether it starts with the host; it does without it.
    public var autostart: Bool?
    /// Whether it is started at once; it is without it.
    public var start: Bool?

    /// The least request.
    public init(name: Name, type: PoolType) {
        self.name = name
        self.type = type
    }
}

/// A merge patch (RFC 7396) of a pool.
public struct PoolPatch: Codable, Hashable, Sendable {
    /// A `null` removes the label.
    public var labels: [String: String?]?
    public var protected: Bool?
    public var autostart: Bool?
    public init() {}
}

/// What is said of a pool that is taken over.
public struct PoolAdopt: Codable, Sendable {
    public var labels: [String: String]?
    public init() {}
}

/// A request for a new volume.
public struct VolumeCreate: Codable, Sendable {
    public var name: Name
    /// What a guest sees.
    public var sizeBytes: ByteCount
    /// `qcow2` without it.
    public var format: DiskFormat?
    public var preallocation: Preallocation?
    public var labels: [String: String]?

    /// The least request.
    public init(name: Name, sizeBytes: ByteCount) {
        self.name = name
        self.sizeBytes = sizeBytes
    }
}

/// A request for a volume that is made from another one.
public struct VolumeClone: Codable, Sendable {
    public var name: Name
    /// That of the other volume without it.
    public var pool: Reference?
    /// `full` without it.
    public var clone: CloneMode?
    /// That of the other volume without it; a linked clone is qcow2.
    public var format: DiskFormat?
    public var labels: [String: String]?
    public init(name: Name) { self.name = name }
}

/// How large a volume shall be.
public struct VolumeResize: Codable, Sendable {
    /// Less than it has only with force, and never less than its data take.
    public var sizeBytes: ByteCount
    public init(sizeBytes: ByteCount) { self.sizeBytes = sizeBytes }
}

extension PoolCreate: FieldLimits {
    static var limits: [String: Schema] {
        ["source": .plainText(Limits.path), "target": .hostPath, "labels": .labels(nullable: false)]
    }
}

extension PoolPatch: FieldLimits {
    static var limits: [String: Schema] { ["labels": .labels(nullable: true)] }
}

extension PoolAdopt: FieldLimits {
    static var limits: [String: Schema] { ["labels": .labels(nullable: false)] }
}

extension VolumeCreate: FieldLimits {
    static var limits: [String: Schema] {
        ["sizeBytes": .bytes(Limits.diskBytes), "labels": .labels(nullable: false)]
    }
}

extension VolumeClone: FieldLimits {
    static var limits: [String: Schema] { ["labels": .labels(nullable: false)] }
}

extension VolumeResize: FieldLimits {
    static var limits: [String: Schema] { ["sizeBytes": .bytes(Limits.diskBytes)] }
}
