// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A reading that is dear and that many want at once: all who come while one is under way share the next, so
/// that nobody gets what was read before they asked.
final class SharedReading<Value: Sendable>: Sendable {
    private struct State {
        var running: Task<Value, any Error>?
        var next: Task<Value, any Error>?
    }

    private let read: @Sendable () async throws -> Value
    private let state = Mutex(State())

    init(_ read: @Sendable @escaping () async throws -> Value) { self.read = read }

    /// A value whose reading began after this call.
    func value() async throws -> Value { try await joined().value }

    private func joined() -> Task<Value, any Error> {
        state.withLock { state in
            if let next = state.next { return next }
            let before = state.running
            let task = Task { [self] in
                _ = await before?.result
                start()
                return try await read()
            }
            state.next = task
            return task
        }
    }

    /// From here on others wait for the one after this.
    private func start() {
        state.withLock { state in
            state.running = state.next
            state.next = nil
        }
    }
}
