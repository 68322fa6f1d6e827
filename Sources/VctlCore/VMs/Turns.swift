// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VctlAPI

/// Lets one task after another change an object, in the order in which they came: each begins with what the
/// one before has left.
final class Turns: Sendable {
    private let queues = Mutex<[ObjectID: [CheckedContinuation<Void, Never>]]>([:])

    /// Runs `body` while nobody else has the object's turn.
    func alone<T: Sendable>(_ id: ObjectID, _ body: () async throws -> T) async throws -> T {
        await take(id)
        defer { give(id) }
        return try await body()
    }

    private func take(_ id: ObjectID) async {
        await withCheckedContinuation { continuation in
            let isFree = queues.withLock { queues in
                queues[id]?.append(continuation)
                defer { if queues[id] == nil { queues[id] = [] } }
                return queues[id] == nil
            }
            if isFree { continuation.resume() }
        }
    }

    private func give(_ id: ObjectID) {
        let next = queues.withLock { queues -> CheckedContinuation<Void, Never>? in
            guard var queue = queues[id], !queue.isEmpty else {
                queues[id] = nil
                return nil
            }
            let next = queue.removeFirst()
            queues[id] = queue
            return next
        }
        next?.resume()
    }
}
