// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VctlAPI

/// Orders readings of libvirt: one that began earlier may be written later, and must not replace a newer one.
final class Readings: Sendable {
    private struct State {
        var last: UInt64 = 0
        var written: [ObjectID: UInt64] = [:]
        /// How many requests are changing it at this moment, without an operation.
        var changers: [ObjectID: Int] = [:]
    }

    private let state = Mutex(State())

    /// Takes a number before libvirt is asked.
    func begin() -> UInt64 {
        state.withLock { state in
            state.last += 1
            return state.last
        }
    }

    /// Runs `body`, which changes a domain: what is read of it meanwhile was done here, and by nobody else.
    func changing<T: Sendable>(_ id: ObjectID, _ body: () async throws -> T) async throws -> T {
        state.withLock { $0.changers[id, default: 0] += 1 }
        defer {
            state.withLock { state in
                state.changers[id, default: 1] -= 1
                if state.changers[id] == 0 { state.changers[id] = nil }
            }
        }
        return try await body()
    }

    /// Whether a request is changing it.
    func isChanging(_ id: ObjectID) -> Bool { state.withLock { $0.changers[id] != nil } }

    /// What was changed here just now: readings that began before know nothing of it.
    func supersede(_ id: ObjectID) {
        _ = isNewest(begin(), of: id)
    }

    /// Whether nothing newer of this domain was written; if so, this reading is the newest from now on. Asked
    /// inside the write, which no other write overlaps.
    func isNewest(_ reading: UInt64, of id: ObjectID) -> Bool {
        state.withLock { state in
            guard state.written[id, default: 0] <= reading else { return false }
            state.written[id] = reading
            return true
        }
    }
}
