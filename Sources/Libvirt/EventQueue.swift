// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A bounded queue between C callbacks and one reader.
///
/// When it is full it throws away all it holds and keeps one `overflow`: the reader then reads all anew.
/// The bare `AsyncStream` could only drop an event, and could not say so when no other follows.
final class EventQueue: Sendable {
    private struct State {
        var events = FIFO<LibvirtEvent>()
        var isFinished = false
        var reader: Waiter<LibvirtEvent?>?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = max(limit, 1)
    }

    func push(_ event: LibvirtEvent) {
        let reader = state.withLock { state -> Waiter<LibvirtEvent?>? in
            guard !state.isFinished else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            if state.events.count >= limit {
                state.events.removeAll()
                state.events.append(.overflow)
            } else {
                state.events.append(event)
            }
            return nil
        }
        reader?.resume(.success(event))
    }

    func finish() {
        let reader = state.withLock { state -> Waiter<LibvirtEvent?>? in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(.success(nil))
    }

    /// The next event; nil at the end, or when the reader's task is cancelled.
    func next() async -> LibvirtEvent? {
        let waiter = Waiter<LibvirtEvent?>()
        state.withLock { state in
            if let event = state.events.popFirst() {
                waiter.resume(.success(event))
            } else if state.isFinished {
                waiter.resume(.success(nil))
            } else {
                state.reader = waiter
            }
        }
        do {
            return try await waiter.value()
        } catch {
            finish()
            return nil
        }
    }

    /// The queue as the stream that its one reader iterates; `onEnd` runs when the stream ends or is dropped.
    func stream(onEnd: @escaping @Sendable () -> Void) -> AsyncStream<LibvirtEvent> {
        let end = AtRelease(onEnd)
        return AsyncStream(unfolding: { await withExtendedLifetime(end) { self }.next() })
    }
}

/// Runs a closure when the last reference goes.
private final class AtRelease: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }

    deinit {
        body()
    }
}
