// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VctlAPI

/// Which guests are being asked by one that asks all of them now and then.
final class Asking: Sendable {
    /// So many at one time; of those who ask there are two, and so some lanes are left for commands.
    private static let most = 3
    private let guests = Mutex<Set<ObjectID>>([])

    /// - Returns: `false` while it is being asked, or too many others are.
    func begin(_ id: ObjectID) -> Bool {
        guests.withLock { $0.count < Self.most && $0.insert(id).inserted }
    }

    func end(_ id: ObjectID) { guests.withLock { _ = $0.remove(id) } }
}
