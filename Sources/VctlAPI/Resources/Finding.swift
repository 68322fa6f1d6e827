// SPDX-License-Identifier: Apache-2.0

/// What a look at one thing of the host found.
public struct Finding: Codable, Hashable, Sendable {
    /// A stable, dotted word for what was looked at: `kvm`, `storage.space`, …
    public var check: String
    public var status: FindingStatus
    /// What was found, and what it means for VMs.
    public var message: String
    /// The command that mends it, where something is wrong.
    public var hint: String?
    public init(check: String, status: FindingStatus, message: String, hint: String? = nil) {
        self.check = check
        self.status = status
        self.message = message
        self.hint = hint
    }
}

/// How bad it is.
public enum FindingStatus: String, APIEnum {
    /// As it should be.
    case ok
    /// VMs run, but not as well or as safely as they could, or not for long.
    case warning
    /// VMs cannot be made, cannot start, or cannot be reached.
    case critical
    /// It could not be found out.
    case unknown
}
