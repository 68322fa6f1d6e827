// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tells waiting streams that there are events behind the one they have. It carries only the newest sequence
/// number: the events themselves are read from the store, so that no reader can hold memory.
final class EventBus: Sendable {
    private struct State {
        var last: Int64 = 0
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
        var closed = false
    }

    private let state = Mutex(State())

    /// Everyone who waits below `sequence` goes on.
    func publish(_ sequence: Int64) {
        let woken = state.withLock { state in
            state.last = max(state.last, sequence)
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        woken.forEach { $0.resume(returning: true) }
    }

    /// Ends all waits, now and later.
    func close() {
        let woken = state.withLock { state in
            state.closed = true
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        woken.forEach { $0.resume(returning: false) }
    }

    /// Waits until there is an event after `sequence`. `false`: the task was cancelled, or the bus is closed.
    func wait(after sequence: Int64) async -> Bool {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in enlist(continuation, id, sequence) }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: false)
        }
    }

    private func enlist(_ continuation: CheckedContinuation<Bool, Never>, _ id: Int, _ sequence: Int64) {
        let answer: Bool? = state.withLock { state in
            if state.closed || Task.isCancelled { return false }
            if state.last > sequence { return true }
            state.waiters[id] = continuation
            return nil
        }
        if let answer { continuation.resume(returning: answer) }
    }
}
