// SPDX-License-Identifier: Apache-2.0
import Synchronization
import VctlAPI

/// One thing of the host that is looked at. It changes nothing, and loads no kernel module.
protocol HostCheck: Sendable {
    /// The word in ``Finding/check``.
    var name: String { get }
    /// After this the doctor goes on without an answer.
    var deadline: Duration { get }
    /// What there is to say, at least one thing.
    func notes() async throws -> [Note]
}

extension HostCheck {
    var deadline: Duration { .seconds(10) }
}

/// A ``Finding`` before it is known which check it comes from.
struct Note: Hashable, Sendable {
    let status: FindingStatus
    let message: String
    var hint: String?

    static func ok(_ message: String) -> Note { Note(status: .ok, message: message) }
    static func warning(_ message: String, _ hint: String?) -> Note {
        Note(status: .warning, message: message, hint: hint)
    }
    static func critical(_ message: String, _ hint: String?) -> Note {
        Note(status: .critical, message: message, hint: hint)
    }
    static func unknown(_ message: String, _ hint: String? = nil) -> Note {
        Note(status: .unknown, message: message, hint: hint)
    }
}

/// Looks at everything that VMs need of the host, all at once. A check that hangs says so by itself, and
/// holds up no other.
final class Doctor: Sendable {
    private let checks: [any HostCheck]
    /// Those that have not come back, perhaps since an earlier time: a read of a dead file server's folder
    /// cannot be stopped, and there must never be two of them.
    private let underWay = Mutex<Set<String>>([])

    init(_ checks: [any HostCheck]) { self.checks = checks }

    /// What all checks found, in their order. Takes as long as the longest deadline at most.
    func findings() async -> [Finding] {
        await withTaskGroup(of: (Int, [Finding]).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { (index, await self.findings(of: check)) }
            }
            let all = await group.reduce(into: []) { $0.append($1) }
            return all.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
    }

    private func findings(of check: any HostCheck) async -> [Finding] {
        let begins = underWay.withLock { $0.insert(check.name).inserted }
        let notes = begins ? await notes(of: check) : [.unknown("an earlier look at it has not ended yet")]
        return notes.map {
            Finding(
                check: check.name, status: $0.status, message: shown($0.message, limit: 1000),
                hint: $0.hint.map { shown($0, limit: 1000) })
        }
    }

    private func notes(of check: any HostCheck) async -> [Note] {
        let (answers, answer) = AsyncStream<[Note]>.makeStream()
        // Not a child: what cannot be stopped must not be waited for.
        let work = Task {
            let notes = await Self.outcome(of: check)
            _ = underWay.withLock { $0.remove(check.name) }
            answer.yield(notes)
        }
        let clock = Task {
            try await Task.sleep(for: check.deadline)
            answer.yield([.unknown("no answer within \(check.deadline.components.seconds) s")])
        }
        defer {
            work.cancel()
            clock.cancel()
        }
        return await answers.first { _ in true } ?? []
    }

    private static func outcome(of check: any HostCheck) async -> [Note] {
        do {
            return try await check.notes()
        } catch {
            let problem = Problem(describing: error)
            return [.unknown(problem.detail, problem.hint)]
        }
    }
}
