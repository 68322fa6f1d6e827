// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Synchronization
import VctlAPI

/// Connections on which guest agents are asked, and nothing else is: an agent that hangs holds up a thread
/// here and a worker of libvirtd's for as long as it is waited for. There are a few, each for one call at a
/// time.
final class AgentLanes: Sendable {
    private struct State {
        var idle: [Connection] = []
        var open = 0
        var waiting: [Waiter] = []

        /// `nil`: none is free; the right to a lane has no connection where that is to be opened.
        mutating func take() -> Connection?? {
            if let kept = idle.popLast() { return .some(kept) }
            guard open < AgentLanes.most else { return nil }
            open += 1
            return .some(nil)
        }
    }

    private struct Waiter {
        let id: ObjectID
        let go: CheckedContinuation<Connection?, any Error>
    }

    /// None became free in time.
    struct Full: Error {}

    /// Fewer than libvirtd has workers (20), so that others are always served.
    private static let most = 8
    /// How long one is waited for.
    private static let patience = Duration.seconds(30)
    /// When agents have answered.
    private let answers = Mutex<[ObjectID: ContinuousClock.Instant]>([:])
    private let uri: String
    private let state = Mutex(State())

    init(uri: String) { self.uri = uri }

    /// Notes that the agent of a guest has answered just now.
    func heard(_ vm: ObjectID) { answers.withLock { $0[vm] = .now } }

    /// Whether the agent of a guest has answered within that time.
    func hasHeard(_ vm: ObjectID, within time: Duration) -> Bool {
        answers.withLock { $0[vm] }.map { $0.duration(to: .now) < time } ?? false
    }

    /// Runs calls on a connection that nobody else uses meanwhile.
    /// - Throws: ``Full``, `LibvirtError` where none can be opened, and what `body` throws.
    func use<T: Sendable>(_ body: (Connection) async throws -> T) async throws -> T {
        let kept = try await turn()
        var connection: Connection?
        do {
            let lane = try await opened(kept)
            connection = lane
            let value = try await body(lane)
            give(back: lane)
            return value
        } catch {
            give(back: connection)
            throw error
        }
    }

    private func opened(_ kept: Connection?) async throws -> Connection {
        if let kept, kept.closed == nil { return kept }
        return try await Connection.open(uri: uri, executor: .agents)
    }

    /// The right to use a lane, with its connection where there is one already.
    private func turn() async throws -> Connection? {
        if let free = state.withLock({ $0.take() }) { return free }
        let id = ObjectID()
        let timer = Task {
            try await Task.sleep(for: Self.patience)
            stopWaiting(id)
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { takeOrWait(Waiter(id: id, go: $0)) }
        } onCancel: {
            stopWaiting(id)
        }
    }

    private func takeOrWait(_ waiter: Waiter) {
        let now = state.withLock { state -> Connection?? in
            if let free = state.take() { return free }
            state.waiting.append(waiter)
            return nil
        }
        if let now { waiter.go.resume(returning: now) }
    }

    private func stopWaiting(_ id: ObjectID) {
        let waiter = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
        }
        waiter?.go.resume(throwing: Full())
    }

    /// `nil`: none could be opened, and another may try.
    private func give(back connection: Connection?) {
        let next = state.withLock { state -> Waiter? in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            if let connection { state.idle.append(connection) } else { state.open -= 1 }
            return nil
        }
        next?.go.resume(returning: connection)
    }
}
