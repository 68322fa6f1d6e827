// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import VctlAPI

/// Looks at pools' directories. One of a server that does not answer hangs and cannot be stopped, so it is
/// waited for only so long, and there are never two of them.
final class Looks: Sendable {
    /// In whole seconds, for it is shown.
    static let patience = 3
    private let turns = Turns()
    private let underWay = Mutex<Set<ObjectID>>([])

    /// What `body` finds; `nil` where it takes too long, or an earlier one has not come back yet.
    /// - Throws: what `body` throws.
    func run<Value: Sendable>(
        _ id: ObjectID, patience: Duration = .seconds(patience),
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value? {
        try await turns.alone(id) { try await begin(id, patience, body) }
    }

    private func begin<Value: Sendable>(
        _ id: ObjectID, _ patience: Duration, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value? {
        guard underWay.withLock({ $0.insert(id).inserted }) else { return nil }
        let (answers, answer) = AsyncStream<Result<Value, any Error>?>.makeStream()
        // A thread of its own: those that hang must not take the threads of those that do not.
        Thread.detachNewThread { [self] in
            let result = Result { try body() }
            _ = underWay.withLock { $0.remove(id) }
            answer.yield(result)
        }
        let clock = Task {
            try await Task.sleep(for: patience)
            answer.yield(nil)
        }
        defer { clock.cancel() }
        guard let ended = await answers.first(where: { _ in true }) ?? nil else { return nil }
        return try ended.get()
    }
}

extension Looks {
    /// What is asked about the disks of all VMs.
    static let disks = "the disks of VMs"

    /// What `body` finds, where nobody may go on without knowing it.
    /// - Parameter what: what is looked at. A look at it that hangs holds up those at the same only.
    /// - Throws: ``Problem`` `pool.state` where it takes too long; what `body` throws.
    func ask<Value: Sendable>(
        _ what: String, patience: Duration = .seconds(20), _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        // Who is cancelled must not be told that nobody answers.
        let look = Task { try await run(ObjectID(hashing: what), patience: patience, body) }
        if let found = try await look.value { return found }
        throw Problem(
            .poolState,
            "\(shown(what, limit: 300)) cannot be asked now: a look does not end, as of a server that does"
                + " not answer",
            hint: "vctl pool list shows which pool is unknown")
    }
}
