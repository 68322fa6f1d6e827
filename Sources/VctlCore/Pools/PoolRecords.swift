// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Synchronization
import VctlAPI

/// What libvirt says of its pools. It says nothing of any while it waits for the server of one: then that is
/// what it said last.
final class PoolRecords: Sendable {
    private struct State {
        var last: [ObjectRecord]?
        /// Readings that have taken too long, and are not back yet.
        var late = 0
        var begun = 0
        /// Which reading `last` is of.
        var kept = 0
    }

    private let read: @Sendable () async throws -> [ObjectRecord]
    private let patience: Duration
    private let state = Mutex(State())

    init(
        patience: Duration = .seconds(10), _ read: @escaping @Sendable () async throws -> [ObjectRecord]
    ) {
        (self.patience, self.read) = (patience, read)
    }

    convenience init(_ hypervisor: Hypervisor) {
        self.init { try await hypervisor.poolConnection().storagePoolRecords() }
    }

    /// - Returns: all pools, and whether libvirt has said so just now.
    /// - Throws: `LibvirtError`; ``Problem`` `pool.state` where it has not said anything yet.
    func all() async throws -> (records: [ObjectRecord], areFresh: Bool) {
        if isLate { return (try known(), false) }
        let number = state.withLock { state in
            state.begun += 1
            return state.begun
        }
        let found = try await InTime.run(
            patience, ifLate: { self.count(1) }, thatEnded: { self.count(-1) }, read)
        guard let found else { return (try known(), false) }
        state.withLock { state in
            guard number > state.kept else { return }
            (state.last, state.kept) = (found, number)
        }
        return (found, true)
    }

    /// Whether libvirt is waiting for a server now.
    private var isLate: Bool { state.withLock { $0.late > 0 } }

    private func count(_ change: Int) { state.withLock { $0.late += change } }

    /// What libvirt has said last.
    func known() throws -> [ObjectRecord] {
        if let last = state.withLock({ $0.last }) { return last }
        throw Problem(
            .poolState, "libvirt does not say which pools there are, as if it waited for a server",
            hint: "virsh pool-list --all")
    }
}

/// Waits only so long for what cannot be stopped.
enum InTime {
    /// What `body` gives; `nil` where it takes longer. It goes on then.
    static func run<Value: Sendable>(
        _ patience: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        try await run(patience, ifLate: {}, thatEnded: {}, body)
    }

    /// The same for who counts what takes longer.
    /// - Parameters:
    ///   - ifLate: called when it takes longer.
    ///   - thatEnded: called when what took longer has ended after all.
    static func run<Value: Sendable>(
        _ patience: Duration, ifLate: @escaping @Sendable () -> Void,
        thatEnded: @escaping @Sendable () -> Void, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        let race = Race<Value>()
        Task {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            if !race.end(with: result) { thatEnded() }
        }
        let clock = Task {
            try await Task.sleep(for: patience)
            race.giveUp(ifLate)
        }
        defer { clock.cancel() }
        return try await race.result()?.get()
    }
}

/// Who is first: an answer, or the end of patience.
private final class Race<Value: Sendable>: Sendable {
    private enum State {
        case open
        case waiting(CheckedContinuation<Result<Value, any Error>?, Never>)
        case decided(Result<Value, any Error>?)
    }

    private let state = Mutex(State.open)

    /// - Returns: whether anybody was still waiting for it.
    func end(with result: Result<Value, any Error>) -> Bool { decide(result) }

    /// - Parameter note: called before anybody hears of it, where there is no answer yet.
    func giveUp(_ note: () -> Void) { _ = decide(nil, note) }

    private func decide(_ result: Result<Value, any Error>?, _ note: () -> Void = {}) -> Bool {
        let (isFirst, waiting) = state.withLock {
            state -> (Bool, CheckedContinuation<Result<Value, any Error>?, Never>?) in
            switch state {
            case .decided: return (false, nil)
            case .open:
                note()
                state = .decided(result)
                return (true, nil)
            case .waiting(let waiting):
                note()
                state = .decided(result)
                return (true, waiting)
            }
        }
        waiting?.resume(returning: result)
        return isFirst
    }

    func result() async -> Result<Value, any Error>? {
        await withCheckedContinuation { continuation in
            let decided = state.withLock { state -> Result<Value, any Error>?? in
                if case .decided(let result) = state { return .some(result) }
                state = .waiting(continuation)
                return nil
            }
            if let decided { continuation.resume(returning: decided) }
        }
    }
}
