// SPDX-License-Identifier: Apache-2.0

/// What may come in to the NICs that have this group; what a guest asks for is answered without a rule.
public struct SecurityGroup: Codable, Hashable, Sendable {
    public var id: ObjectID
    public var name: Name
    public var description: String?
    public var labels: [String: String]
    /// What may come in, beside what other groups of a NIC allow.
    public var rules: [SecurityRule]
    /// The VMs with NICs that have it, by name.
    public var usedBy: [String]
    public var createdAt: Timestamp

    public init(id: ObjectID, name: Name, rules: [SecurityRule], createdAt: Timestamp) {
        (self.id, self.name, self.rules, self.createdAt) = (id, name, rules, createdAt)
        (labels, usedBy) = ([:], [])
    }
}

/// A request for a new security group.
public struct SecurityGroupCreate: Codable, Sendable {
    public var name: Name
    public var description: String?
    public var labels: [String: String]?
    /// Without any, nothing may come in.
    public var rules: [SecurityRule]?
    /// The least request; everything else is set afterwards.
    public init(name: Name) { self.name = name }
}

/// A merge patch (RFC 7396) of a security group. Its name stays: NICs name it.
public struct SecurityGroupPatch: Codable, Sendable {
    public var description: RemovableText?
    /// A `null` removes the label.
    public var labels: [String: String?]?
    /// All rules, in the place of those that are there; open flows that none of them allows are cut.
    public var rules: [SecurityRule]?
    public init() {}
}
