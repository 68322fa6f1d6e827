// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

/// Who is on which console. Any number may watch, one may type: two that type would garble each other's
/// words.
actor ConsoleHub {
    /// An end of a console.
    struct Session: Sendable {
        let id: ObjectID
        let vm: ObjectID
        /// The VM's name, for messages.
        let name: String
        let user: ConsoleWriter
        /// Ends it, for a reason.
        let cut: @Sendable (Problem) -> Void
    }

    /// An open line, and how many use it.
    private final class Slot {
        let opening: Task<ConsoleLine, any Error>
        var users = 1
        init(_ opening: Task<ConsoleLine, any Error>) { self.opening = opening }
    }

    private var writers: [ObjectID: Session] = [:]
    private var readers: [ObjectID: Set<ObjectID>] = [:]
    private var slots: [ObjectID: Slot] = [:]
    private var ended: [(vm: ObjectID, end: ConsoleEnd)] = []
    private var returns: [ObjectID: Task<Void, Never>] = [:]
    /// libvirt lets nobody in before the last one has left.
    private var closings: [ObjectID: Task<Void, Never>] = [:]
    /// When our last line of a VM was closed, until it is open again.
    private var closed: [ObjectID: ContinuousClock.Instant] = [:]
    /// libvirtd takes so long at most to see that a connection has ended.
    private let patience: Duration
    /// So many reasons are kept for those who will ask.
    private static let keptEnds = 256

    init(patience: Duration = .seconds(5)) { self.patience = patience }

    /// Makes a session the one that types.
    /// - Throws: ``Problem`` `console.busy` where there is one, unless it is to be put out.
    func claim(_ session: Session, force: Bool) throws {
        if let holder = writers[session.vm] {
            guard force else { throw Self.busy(holder) }
            let taken = Problem(
                .consoleTaken,
                "\(session.user.described) took over the console of VM \(shown(session.name))",
                hint: "vctl console \(shown(session.name)) --read-only, or --force to take it back")
            cut(holder, taken)
        }
        writers[session.vm] = session
    }

    /// Counts one that watches.
    func watch(_ session: Session) { readers[session.vm, default: []].insert(session.id) }

    /// The session types no longer.
    func release(_ session: Session) {
        if writers[session.vm]?.id == session.id { writers[session.vm] = nil }
    }

    /// The session is over.
    func leave(_ session: Session) {
        release(session)
        readers[session.vm]?.remove(session.id)
        if readers[session.vm]?.isEmpty == true { readers[session.vm] = nil }
    }

    /// Keeps the reason why a session was cut off.
    func note(_ session: Session, _ problem: Problem) {
        guard !ended.contains(where: { $0.end.session == session.id }) else { return }
        let end = ConsoleEnd(
            session: session.id, code: problem.code, detail: problem.detail, hint: problem.hint, at: .now)
        ended.append((session.vm, end))
        if ended.count > Self.keptEnds { ended.removeFirst() }
    }

    private func cut(_ session: Session, _ problem: Problem) {
        note(session, problem)
        release(session)
        session.cut(problem)
    }

    func status(of vm: ObjectID) -> ConsoleStatus {
        ConsoleStatus(
            writer: writers[vm]?.user, readers: readers[vm]?.count ?? 0,
            ended: ended.filter { $0.vm == vm }.map(\.end))
    }

    private static func busy(_ holder: Session) -> Problem {
        let name = shown(holder.name)
        return Problem(
            .consoleBusy, "\(holder.user.described) is using the console of VM \(name)",
            hint: "watch it: vctl console \(name) --read-only; or take it over: --force")
    }

    // MARK: Lines

    /// The line of a VM: the one that is open, or a new one. Each is given back with ``giveBack(_:of:)``.
    func line(
        of vm: ObjectID, open: @escaping @Sendable () async throws -> ConsoleLine
    ) async throws -> ConsoleLine {
        while let slot = slots[vm] {
            slot.users += 1
            let line = try? await slot.opening.value
            if let line, !line.isOver { return line }
            // Whoever opened it says why it could not be; this one tries again.
            if slots[vm] === slot { slots[vm] = nil }
        }
        let before = closings[vm]
        let slot = Slot(
            Task {
                await before?.value
                return try await self.opened(vm, open)
            })
        slots[vm] = slot
        do {
            return try await slot.opening.value
        } catch {
            if slots[vm] === slot { slots[vm] = nil }
            throw error
        }
    }

    private func opened(
        _ vm: ObjectID, _ open: @Sendable () async throws -> ConsoleLine
    ) async throws -> ConsoleLine {
        let start = ContinuousClock.now
        while true {
            do {
                let line = try await open()
                closed[vm] = nil
                return line
            } catch let error as LibvirtError {
                let since = hopeSince(error, vm, start)
                guard let since, .now - since < patience else { throw error }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Since when an open that failed may yet succeed.
    private func hopeSince(
        _ error: LibvirtError, _ vm: ObjectID, _ start: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        switch error.code {
        // The one who has it may be ourselves.
        case .operationFailed: closed[vm]
        // The pty of a VM that just comes or goes cannot be opened for a moment.
        case .systemError: start
        default: nil
        }
    }

    /// The last one closes it, once QEMU has seen what was typed.
    func giveBack(_ line: ConsoleLine, of vm: ObjectID) {
        let id = ObjectID()
        returns[id] = Task {
            await self.close(line, of: vm)
            self.returns[id] = nil
        }
    }

    private func close(_ line: ConsoleLine, of vm: ObjectID) async {
        if !line.isOver { await line.settle() }
        guard let slot = slots[vm], (try? await slot.opening.value) === line else {
            return await line.close()
        }
        slot.users -= 1
        guard slot.users == 0 else { return }
        slots[vm] = nil
        let closing = Task { await line.close() }
        closings[vm] = closing
        await closing.value
        closed[vm] = .now
        closings[vm] = nil
    }

    /// Waits until what was typed has arrived.
    func shutdown() async {
        for task in returns.values { await task.value }
    }
}
