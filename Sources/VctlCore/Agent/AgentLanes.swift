// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Synchronization

/// Connections on which guest agents are asked, and nothing else is: an agent that hangs holds up a thread
/// here and a worker of libvirtd's for as long as it is waited for. There are a few, each for one call at a
/// time.
final class AgentLanes: Sendable {
    private struct State {
        var idle: [Connection] = []
        var open = 0
        var waiting: [CheckedContinuation<Connection?, Never>] = []
    }

    /// Fewer than libvirtd has workers (20), so that others are always served.
    private static let most = 8
    private let uri: String
    private let state = Mutex(State())

    init(uri: String) { self.uri = uri }

    /// Runs calls on a connection that nobody else uses meanwhile.
    /// - Throws: `LibvirtError` where none can be opened, and what `body` throws.
    func use<T: Sendable>(_ body: (Connection) async throws -> T) async throws -> T {
        var connection: Connection?
        do {
            let lane = try await take()
            connection = lane
            let value = try await body(lane)
            give(back: lane)
            return value
        } catch {
            give(back: connection)
            throw error
        }
    }

    private func take() async throws -> Connection {
        let kept = await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Connection?? in
                if let idle = state.idle.popLast() { return .some(idle) }
                if state.open < Self.most {
                    state.open += 1
                    return .some(nil)
                }
                state.waiting.append(continuation)
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
        if let kept, kept.closed == nil { return kept }
        return try await Connection.open(uri: uri, executor: .agents)
    }

    /// `nil`: none could be opened, and another may try.
    private func give(back connection: Connection?) {
        let next = state.withLock { state -> CheckedContinuation<Connection?, Never>? in
            if !state.waiting.isEmpty { return state.waiting.removeFirst() }
            if let connection { state.idle.append(connection) } else { state.open -= 1 }
            return nil
        }
        next?.resume(returning: connection)
    }
}
