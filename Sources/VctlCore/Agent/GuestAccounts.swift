// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Who may log in to a running guest.
struct GuestAccounts: Sendable {
    let agent: GuestAgent

    /// Adds keys to a user's `authorized_keys`; those that are there stay.
    /// - Throws: ``Problem`` `agent.failed` where there is no such user.
    func add(_ keys: [String], to user: String) async throws {
        struct Add: Encodable { var username: String, keys: [String] }
        try await agent.tell("guest-ssh-add-authorized-keys", Add(username: user, keys: keys))
    }

    /// - Throws: ``Problem`` `agent.failed` where there is no such user, or the guest refuses the password.
    func setPassword(_ password: Secret, of user: String) async throws {
        struct SetPassword: Encodable { var username: String, password: Base64, crypted = false }
        let bytes = Base64(Array(password.reveal().utf8))
        try await agent.tell("guest-set-user-password", SetPassword(username: user, password: bytes))
    }
}

extension GuestAgent {
    /// Sets the guest's clock to the host's: one that was halted has missed the time.
    func setClock(to time: Timestamp) async throws {
        struct SetTime: Encodable { var time: Int64 }
        try await tell("guest-set-time", SetTime(time: time.milliseconds * 1_000_000))
    }
}
