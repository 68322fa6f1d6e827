// SPDX-License-Identifier: Apache-2.0

/// The reply to a request with `dryRun`: every check was made, nothing was changed.
public struct Preview: Codable, Hashable, Sendable {
    /// The endpoint that was asked: `vm.create`.
    public var action: String
    /// The object that it was asked of.
    public var target: String
    /// What would be done, in order, a sentence each.
    public var changes: [String]
    /// What would be warned of.
    public var warnings: [String]
    /// What would change in libvirt's definition, as `diff -u` shows it.
    public var xmlDiff: String?
    public init(action: String, target: String, changes: [String], warnings: [String] = []) {
        self.action = action
        self.target = target
        self.changes = changes
        self.warnings = warnings
    }
}
