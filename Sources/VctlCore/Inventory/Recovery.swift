// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import VctlAPI

/// Rebuilding the inventory from what is beside it: the kept objects here, the marks at libvirt's next
/// reading.
struct Recovery: Sendable {
    let state: StateDirectory

    /// Whether this directory was used before and has lost its database.
    var isNeeded: Bool {
        !FileManager.default.fileExists(atPath: state.database)
            && FileManager.default.fileExists(atPath: "\(state.path)/event-reserve")
    }

    /// Sets an existing database aside, under a name that says when.
    func setAside() throws {
        let stamp = Timestamp.now.description.filter { $0.isNumber || $0 == "T" }
        for suffix in ["", "-wal", "-shm"]
        where FileManager.default.fileExists(atPath: state.database + suffix) {
            try DurableFile.rename(state.database + suffix, to: "\(state.database).lost-\(stamp)\(suffix)")
        }
    }

    /// What cannot be had back, for the warning and the log.
    static let lost = "operations, the audit, warnings and older events are lost"

    /// Fills an empty database.
    func fill(_ inventory: Inventory) async throws {
        let reserve = SequenceReserve(path: "\(state.path)/event-reserve").value
        let state = state
        try await inventory.write { transaction in
            try transaction.execute(
                """
                INSERT INTO sqlite_sequence(name, seq)
                SELECT 'event', ? WHERE NOT EXISTS (SELECT 1 FROM event)
                """,
                [reserve])
            try transaction.emit(
                "gap", nil, data: ["to": "\(reserve)", "reason": "the inventory was rebuilt"])
            let found = ImageRecovery.find(state)
            _ = try ImageRecovery.restore(found, transaction)
            let unreadable =
                try found.unreadable + ProfileRecovery.restore(state, transaction)
                + LinkRecovery.restore(state, transaction)
                + ForwardRecovery.restore(state, transaction)
                + PoolRecovery.restore(state, transaction)
                + SecurityGroupRecovery.restore(state, transaction)
            try transaction.warn(
                "inventory.recovered",
                "the inventory was rebuilt: VMs, images, profiles, bridges, TAPs and security groups are"
                    + " back, \(Self.lost)",
                hint: "vctl vm list; vctl image list; vctl profile list")
            for path in unreadable {
                try transaction.warn("recovery.unreadable", "\(path) cannot be read, and was left as it is")
            }
        }
    }
}
