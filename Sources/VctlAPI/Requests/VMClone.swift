// SPDX-License-Identifier: Apache-2.0

/// How to make a VM from another one: with the same hardware and copies of its disks, but with a UUID, MACs,
/// serial numbers, console log and cloud-init instance of its own.
public struct VMClone: Codable, Sendable {
    public var name: Name
    /// `linked`: its disks go on reading from the image that the other one's read from; `full`: they stand
    /// alone. Without it: linked where the other one is.
    public var clone: CloneMode?
    /// Where the disks go, `default` without it.
    public var pool: Reference?
    /// Labels besides the other one's; of the same key these count.
    public var labels: [String: String]?
    /// The other one's without it.
    public var description: String?
    /// Whether it is started; `false` without it.
    public var start: Bool?
    public var autostart: Bool?
    public var protected: Bool?
    public init(name: Name) { self.name = name }
}

/// How to make an image of a VM's disk.
public struct VMPublish: Codable, Sendable {
    /// The image's name.
    public var name: Name
    /// `vda`; without it the disk that the VM boots from.
    public var disk: String?
    public var description: String?
    public var labels: [String: String]?
    public var protected: Bool?
    public init(name: Name) { self.name = name }
}
