// SPDX-License-Identifier: Apache-2.0
import Libvirt
import Logging
import Synchronization
import VctlAPI

/// Runs operations: forward, step by step, and back over what they did when one fails or is cancelled.
final class OperationEngine: Sendable {
    private struct Running {
        var tasks: [ObjectID: Task<Void, Never>] = [:]
        /// The step that each operation is in, as what can be cancelled: the journal itself must go on.
        var steps: [ObjectID: @Sendable () -> Void] = [:]
        var cancelled: Set<ObjectID> = []
        /// Those that have begun what cannot be undone, and only go forward.
        var committed: Set<ObjectID> = []
        /// Waits for libvirt, which a stop ends: nothing is half done in them.
        var waits: [ObjectID: Task<Void, any Error>] = [:]
        var stopping = false
    }

    let inventory: Inventory
    let progress = Mutex<[ObjectID: Operation.Progress]>([:])
    private let kinds: [String: any OperationKind]
    private let link: any LibvirtLink
    private let logger: Logger
    private let running = Mutex(Running())
    private let died = Mutex(false)
    /// Where a test lets the daemon die.
    private let fault: @Sendable (JournalPoint) -> Bool

    private let journalRetry: Duration
    /// Called when an operation has ended and holds nothing any more.
    private let ended: @Sendable () async -> Void

    init(
        inventory: Inventory, kinds: [any OperationKind], link: any LibvirtLink, logger: Logger,
        journalRetry: Duration = .seconds(5), ended: @escaping @Sendable () async -> Void = {},
        fault: @escaping @Sendable (JournalPoint) -> Bool = { _ in false }
    ) {
        self.inventory = inventory
        self.kinds = Dictionary(uniqueKeysWithValues: kinds.map { (type(of: $0).name, $0) })
        self.link = link
        self.logger = logger
        self.journalRetry = journalRetry
        self.ended = ended
        self.fault = fault
    }

    /// The names of all kinds that this engine runs.
    var kindNames: [String] { kinds.keys.sorted() }

    /// The names of those that a cancel takes back.
    var undoneKindNames: [String] {
        kinds.filter { type(of: $0.value).isUndone }.keys.sorted()
    }

    /// Takes up what an earlier daemon left.
    func resume() async throws {
        for id in try await inventory.read({ try OperationRecord.unfinished($0) }) { launch(id) }
    }

    /// Runs an accepted operation in the background.
    func launch(_ id: ObjectID) {
        running.withLock { running in
            guard !running.stopping, running.tasks[id] == nil else { return }
            running.tasks[id] = Task { await self.drive(id) }
        }
    }

    /// Stops at the next step boundaries and waits for them, as long as `grace` seconds. What does not get
    /// there in time is resumed by the next daemon, like after a crash.
    func stop(grace: Double) async {
        let tasks = running.withLock { running in
            running.stopping = true
            running.waits.values.forEach { $0.cancel() }
            return Array(running.tasks.values)
        }
        let finished = EventBus()
        Task {
            for task in tasks { await task.value }
            finished.close()
        }
        await Deadline.run(seconds: grace) { _ = await finished.wait(after: 0) }
    }

    /// Waits until nothing runs; for tests and for an orderly end.
    func idle() async {
        while let task = running.withLock({ $0.tasks.values.first }) { await task.value }
    }

    /// Ends the present step where it can be ended, and lets the operation go back; nothing happens to one
    /// that only goes forward.
    func interrupt(_ id: ObjectID) {
        running.withLock { running -> (@Sendable () -> Void)? in
            guard !running.committed.contains(id) else { return nil }
            running.cancelled.insert(id)
            return running.steps[id]
        }?()
    }

    /// Whether an operation has begun what cannot be undone.
    func isCommitted(_ id: ObjectID) -> Bool { running.withLock { $0.committed.contains(id) } }

    /// From here on the operation only goes forward.
    /// - Throws: ``Cancelled`` when somebody asked before.
    func commit(_ id: ObjectID) throws {
        try running.withLock { running in
            if running.cancelled.contains(id) { throw Cancelled() }
            running.committed.insert(id)
        }
    }

    /// Runs a step so that ``interrupt(_:)`` cancels it alone, and not the journal around it.
    func interruptible<T: Sendable>(
        _ id: ObjectID, _ body: @Sendable @escaping () async throws -> T
    ) async throws -> T {
        let task = Task { try await self.whileConnected(body) }
        running.withLock { $0.steps[id] = { task.cancel() } }
        defer { running.withLock { $0.steps[id] = nil } }
        return try await task.value
    }

    /// Throws where an operation must not begin another step.
    func boundary(_ id: ObjectID) throws {
        let (stopping, cancelled) = running.withLock { ($0.stopping, $0.cancelled.contains(id)) }
        if died.withLock({ $0 }) { throw SimulatedDeath() }
        if cancelled { throw Cancelled() }
        if stopping { throw Stopping() }
    }

    func pass(_ point: JournalPoint) throws {
        guard !died.withLock({ $0 }), !fault(point) else {
            died.withLock { $0 = true }
            throw SimulatedDeath()
        }
    }

    /// Runs `body` again, once there is a connection, when libvirtd went away under it: every step is an
    /// ensure.
    func whileConnected<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
        while true {
            do {
                return try await body()
            } catch let error where link.isLost(error) {
                try await waitForLink()
            }
        }
    }

    /// - Throws: ``Stopping`` once the daemon stops: a connection that it closed itself is no failure of the
    ///   work.
    private func waitForLink() async throws {
        let id = ObjectID()
        let wait = Task { try await link.waitUntilConnected() }
        let isStopping = running.withLock { running in
            running.waits[id] = wait
            return running.stopping
        }
        if isStopping { wait.cancel() }
        defer { running.withLock { $0.waits[id] = nil } }
        do {
            try await withTaskCancellationHandler {
                try await wait.value
            } onCancel: {
                wait.cancel()
            }
        } catch {
            if running.withLock({ $0.stopping }) { throw Stopping() }
            throw error
        }
    }

    private func drive(_ id: ObjectID) async {
        while true {
            do {
                try await runOnce(id)
                break
            } catch let error where error is SimulatedDeath || error is Stopping {
                break
            } catch {
                // The inventory cannot be written, as on a full disk. Taken up again as after a restart.
                logger.error(
                    "operation could not be journaled",
                    metadata: ["operation": "\(id)", "error": "\(Problem(describing: error).detail)"])
                try? await Task.sleep(for: journalRetry)
                if running.withLock({ $0.stopping }) { break }
            }
        }
        running.withLock { running in
            running.tasks[id] = nil
            running.cancelled.remove(id)
            running.committed.remove(id)
        }
        progress.withLock { $0[id] = nil }
        await ended()
    }

    private func runOnce(_ id: ObjectID) async throws {
        guard let record = try await inventory.read({ try OperationRecord.load($0, id) }),
            !record.status.isFinal, record.status != .stuck
        else { return }
        guard let kind = kinds[record.kind], type(of: kind).version >= record.version else {
            return try await getStuck(record, unknownKind(record))
        }
        if record.cancelRequested { running.withLock { _ = $0.cancelled.insert(id) } }
        if record.status == .pending {
            try await inventory.write { try $0.setStatus(id, record.kind, .running) }
        }
        let journal = Journal(record, engine: self)
        do {
            let outcome = try await kind.run(stored: record.request, journal)
            try pass(.beforeEnd(id))
            try await succeed(record, outcome, journal)
        } catch let error where error is SimulatedDeath || error is Stopping || error is Unwritten {
            throw error
        } catch {
            try await goBack(record, kind, journal, after: error)
        }
    }

    private func unknownKind(_ record: OperationRecord) -> Problem {
        Problem(
            .operationInterrupted,
            "the journal of \(record.kind) (version \(record.version)) is newer than this vctld",
            hint: "install the newer vctld again, or: vctl operation abandon \(record.id)")
    }

    private func succeed(_ record: OperationRecord, _ outcome: Outcome, _ journal: Journal) async throws {
        let warnings = journal.warnings
        try await inventory.write { transaction in
            try outcome.apply(transaction)
            try transaction.setResult(record.id, outcome.result)
            if !warnings.isEmpty { try transaction.setWarnings(record.id, warnings) }
            try transaction.releaseClaims(of: record.id)
            try transaction.setStatus(record.id, record.kind, .succeeded)
        }
    }

    private func goBack(
        _ record: OperationRecord, _ kind: any OperationKind, _ journal: Journal, after error: any Error
    ) async throws {
        let wasCancelled = running.withLock { $0.cancelled.contains(record.id) }
        let problem = record.failure ?? (wasCancelled ? Self.cancelled : Problem(describing: error))
        if record.failure == nil {
            logger.info("undoing", metadata: ["operation": "\(record.id)", "reason": "\(problem.detail)"])
            try await inventory.write { transaction in
                try transaction.setFailure(record.id, problem)
                if wasCancelled, record.status != .cancelling {
                    try transaction.setStatus(record.id, record.kind, .cancelling)
                }
            }
        }
        do {
            try await undo(record, journal)
        } catch let error where error is SimulatedDeath || error is Stopping {
            throw error
        } catch {
            return try await getStuck(record, Problem(describing: error))
        }
        try await end(record, kind, problem)
    }

    private static let cancelled = Problem(.operationCancelled, "the operation was cancelled")

    private func undo(_ record: OperationRecord, _ journal: Journal) async throws {
        for undo in journal.undos.reversed() {
            try await mark(record.id, undo.key, .undoing)
            try pass(.beforeUndo(record.id, undo.key))
            do {
                try await whileConnected(undo.body)
            } catch let error as Stopping {
                throw error
            } catch {
                try await mark(record.id, undo.key, .undoFailed)
                throw error
            }
            try pass(.afterUndo(record.id, undo.key))
            try await mark(record.id, undo.key, .undone)
        }
    }

    private func mark(_ id: ObjectID, _ key: String, _ status: StepStatus) async throws {
        try await inventory.write { try $0.finishStep(id, key, status, output: nil) }
    }

    private func end(_ record: OperationRecord, _ kind: any OperationKind, _ problem: Problem) async throws {
        try pass(.beforeEnd(record.id))
        let status: OperationStatus = problem.errorCode == .operationCancelled ? .cancelled : .failed
        try await inventory.write { transaction in
            try kind.rolledBack(stored: record.request, transaction, record.id)
            try transaction.releaseClaims(of: record.id)
            try transaction.setStatus(record.id, record.kind, status)
        }
    }

    private func getStuck(_ record: OperationRecord, _ problem: Problem) async throws {
        logger.error("stuck", metadata: ["operation": "\(record.id)", "reason": "\(problem.detail)"])
        try await inventory.write { transaction in
            try transaction.setWarnings(record.id, ["the undo failed: \(problem.detail)"])
            if try transaction.failure(of: record.id) == nil {
                try transaction.setFailure(record.id, problem)
            }
            try transaction.setStatus(record.id, record.kind, .stuck)
        }
    }
}

/// What the engine needs of the connection to libvirt.
protocol LibvirtLink: Sendable {
    /// Whether an error only says that the connection went away.
    func isLost(_ error: any Error) -> Bool
    /// Returns once there is a connection again.
    func waitUntilConnected() async throws
}
