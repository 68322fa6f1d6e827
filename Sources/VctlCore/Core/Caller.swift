// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Who asks, as the kernel says (SO_PEERCRED), and what they may do.
public struct Caller: Hashable, Sendable {
    public var uid: Int
    public var user: String?
    public var pid: Int
    public var role: Role

    /// A caller of the given identity and role.
    public init(uid: Int, user: String?, pid: Int, role: Role) {
        self.uid = uid
        self.user = user
        self.pid = pid
        self.role = role
    }

    /// The caller as operations and the audit show it.
    public var requestor: Operation.Requestor { Operation.Requestor(uid: uid, user: user, pid: pid) }
}

/// What comes with a request beside its body.
public struct RequestContext: Sendable {
    public var caller: Caller
    /// The endpoint's id, for the audit.
    public var action: String
    public var idempotency: Idempotency?
    /// `If-Match`: the entity tag that the object must still have.
    public var ifMatch: String?
    /// Check everything, change nothing.
    public var dryRun: Bool
    /// Override the guard that an error named.
    public var force: Bool

    /// A request without any of the optional headers and parameters.
    public init(caller: Caller, action: String) {
        self.caller = caller
        self.action = action
        dryRun = false
        force = false
    }
}

/// An `Idempotency-Key` with what must be the same under it.
public struct Idempotency: Sendable {
    /// As sent: 1 to 255 visible ASCII characters.
    public var key: String
    /// Method, path, query and body: everything that makes two requests the same one. Kept only as a keyed
    /// hash.
    public var content: [UInt8]

    /// A key and the request it stands for.
    public init(key: String, content: [UInt8]) {
        self.key = key
        self.content = content
    }
}
