// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Synchronization
import VctlAPI

/// The journal of one run of one operation: every step is written down before it runs, and with its output
/// after.
final class Journal: Sendable {
    struct Undo: Sendable {
        let key: String
        let body: @Sendable () async throws -> Void
    }

    private struct State {
        var steps: [String: StepRecord] = [:]
        var undos: [Undo] = []
        var warnings: [String] = []
        var position = 0
    }

    let operation: ObjectID
    /// The failure that is being undone, when this run only goes back.
    let failure: Problem?
    private let engine: OperationEngine
    private let state: Mutex<State>

    init(_ record: OperationRecord, engine: OperationEngine) {
        operation = record.id
        failure = record.failure
        self.engine = engine
        var initial = State()
        for step in record.steps { initial.steps[step.key] = step }
        state = Mutex(initial)
    }

    var undos: [Undo] { state.withLock { $0.undos } }
    var warnings: [String] { state.withLock { $0.warnings } }

    /// One step. `body` looks first whether its effect is there already, for it may run twice; `undo` too,
    /// and it may run after a `body` that came only half-way. Keys are stable: a newer daemon resumes older
    /// journals.
    func step<Output: Codable & Sendable>(
        _ key: String, undo: (@Sendable () async throws -> Void)? = nil,
        _ body: @Sendable @escaping () async throws -> Output
    ) async throws -> Output {
        let (known, position) = state.withLock { state in
            state.position += 1
            return (state.steps[key], state.position)
        }
        if let known, known.status == .done {
            register(key, undo)
            return try JSON.value(Output.self, known.output ?? "null")
        }
        if let failure {
            if let known, known.status != .undone { register(key, undo) }
            throw failure
        }
        do {
            try engine.boundary(operation)
        } catch {
            // Cancelled before it began again: what a dead daemon left half-way is undone too.
            if known != nil { register(key, undo) }
            throw error
        }
        return try await run(key, position, undo, body)
    }

    /// A step without output.
    func step(
        _ key: String, undo: (@Sendable () async throws -> Void)? = nil,
        _ body: @Sendable @escaping () async throws -> Void
    ) async throws {
        _ = try await step(key, undo: undo) { () -> Bool in
            try await body()
            return true
        }
    }

    private func run<Output: Codable & Sendable>(
        _ key: String, _ position: Int, _ undo: (@Sendable () async throws -> Void)?,
        _ body: @Sendable @escaping () async throws -> Output
    ) async throws -> Output {
        try await write { [operation] in try $0.startStep(operation, key, position: position) }
        register(key, undo)
        try engine.pass(.beforeStep(operation, key))
        let output = try await engine.interruptible(operation, body)
        try engine.pass(.afterStep(operation, key))
        let text = try JSON.text(output)
        try await write { [operation] in try $0.finishStep(operation, key, .done, output: text) }
        try engine.pass(.recorded(operation, key))
        return output
    }

    private func write(_ change: @Sendable @escaping (Transaction) throws -> Void) async throws {
        do {
            try await engine.inventory.write(change)
        } catch {
            throw Unwritten(cause: error)
        }
    }

    private func register(_ key: String, _ undo: (@Sendable () async throws -> Void)?) {
        guard let undo else { return }
        state.withLock { $0.undos.append(Undo(key: key, body: undo)) }
    }

    /// What comes next cannot be undone: from here on nobody can cancel.
    func pointOfNoReturn() throws {
        if failure == nil { try engine.commit(operation) }
    }

    /// Tells the caller of something that went well, but not as they may think. The same text is kept once.
    func warn(_ text: String) {
        state.withLock { state in
            if !state.warnings.contains(text) { state.warnings.append(text) }
        }
    }

    /// How far the present step is; kept in memory, since only someone who waits wants it.
    func progress(_ progress: Operation.Progress) {
        engine.progress.withLock { $0[operation] = progress }
    }
}

/// A place in an operation at which a test can let the daemon die.
enum JournalPoint: Hashable, Sendable {
    /// Written down, nothing done.
    case beforeStep(ObjectID, String)
    /// Done, not written down.
    case afterStep(ObjectID, String)
    /// Done, and written down.
    case recorded(ObjectID, String)
    /// The undo is written down, nothing undone.
    case beforeUndo(ObjectID, String)
    /// Undone, not written down.
    case afterUndo(ObjectID, String)
    /// All is done or undone, and the end not written down.
    case beforeEnd(ObjectID)
}

/// A death of the daemon inside the process: the engine drops the operation on the spot, as a kill would.
struct SimulatedDeath: Error {}
/// The daemon is stopping: the operation stays as it is until the next start.
struct Stopping: Error {}
/// The journal cannot be written at present, as on a full disk, which says nothing of the work.
struct Unwritten: Error {
    let cause: any Error
}
/// Somebody asked for the operation to be undone.
struct Cancelled: Error {}
