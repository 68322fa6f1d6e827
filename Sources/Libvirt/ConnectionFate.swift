// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Whether a connection still stands, who waits for its end, and what must be told then.
final class ConnectionFate: Sendable {
    private struct State {
        var error: LibvirtError?
        var nextID = 0
        var handlers: [Int: @Sendable (LibvirtError) -> Void] = [:]
    }

    private let state = Mutex(State())

    var error: LibvirtError? {
        state.withLock { $0.error }
    }

    /// The first end counts; its handlers run on the caller's thread.
    func end(_ error: LibvirtError) {
        let handlers = state.withLock { state in
            guard state.error == nil else { return [(@Sendable (LibvirtError) -> Void)]() }
            state.error = error
            defer { state.handlers = [:] }
            return Array(state.handlers.values)
        }
        for handler in handlers { handler(error) }
    }

    /// Calls `handler` once when the connection ends; at once if it has.
    /// - Returns: what `forget` takes.
    @discardableResult
    func whenEnded(_ handler: @escaping @Sendable (LibvirtError) -> Void) -> Int {
        let (id, error) = state.withLock { state in
            state.nextID += 1
            if state.error == nil { state.handlers[state.nextID] = handler }
            return (state.nextID, state.error)
        }
        if let error { handler(error) }
        return id
    }

    func forget(_ id: Int) {
        state.withLock { _ = $0.handlers.removeValue(forKey: id) }
    }

    func wait() async throws -> LibvirtError {
        let waiter = Waiter<LibvirtError>()
        let id = whenEnded { waiter.resume(.success($0)) }
        defer { forget(id) }
        return try await waiter.value()
    }
}

/// One value that one task waits for; cancelling the task ends the wait.
final class Waiter<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, any Error>)
        case done(Result<Value, any Error>)
    }

    private let state = Mutex(State.empty)

    /// The first result counts.
    func resume(_ result: Result<Value, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            switch state {
            case .done: return nil
            case .empty: state = .done(result)
            case .waiting(let continuation):
                state = .done(result)
                return continuation
            }
            return nil
        }
        continuation?.resume(with: result)
    }

    func value() async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait($0) }
        } onCancel: {
            resume(.failure(CancellationError()))
        }
    }

    private func wait(_ continuation: CheckedContinuation<Value, any Error>) {
        let result = state.withLock { state -> Result<Value, any Error>? in
            if case .done(let result) = state { return result }
            state = .waiting(continuation)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }
}
