// SPDX-License-Identifier: Apache-2.0
import VctlAPI

extension Operation {
    /// Whether following it further would bring nothing: it ended, or it is stuck until someone decides.
    public var isSettled: Bool { status.isFinal || status == .stuck }
}

extension Client {
    /// How long the daemon may be away while an operation is followed, in seconds: operations outlive it.
    public static let absence = 60.0

    /// Waits until an operation ends or gets stuck; a daemon that restarts meanwhile is waited for.
    /// - Parameters:
    ///   - turn: seconds between two reports.
    ///   - report: is told every state that was seen.
    /// - Throws: the deadline's error, ``ClientError/interrupted``, or why the daemon stayed away.
    public func follow(
        _ id: ObjectID, until deadline: Deadline = .never, turn: Double = 0.5,
        report: (Operation) throws -> Void = { _ in }
    ) throws -> Operation {
        try followed(id, until: deadline, turn: turn, report: report).operation
    }

    /// The same, with the last reply as it came.
    public func followed(
        _ id: ObjectID, until deadline: Deadline = .never, turn: Double = 0.5,
        report: (Operation) throws -> Void = { _ in }
    ) throws -> (operation: Operation, reply: Reply) {
        while true {
            let began = Clock.now
            let reply = try patiently(until: deadline) { try waitOnce(id, turn: turn, until: deadline) }
            let operation = try reply.decoded(as: Operation.self)
            try report(operation)
            if operation.isSettled { return (operation, reply) }
            if deadline.hasPassed { throw deadline.error }
            // A daemon that answers at once although nothing has ended must not be asked in a circle.
            let rest = min(turn, 0.05) - Clock.seconds(since: began)
            if rest > 0 { try Poll.sleep(seconds: rest, until: deadline, interrupts) }
        }
    }

    private func waitOnce(_ id: ObjectID, turn: Double, until deadline: Deadline) throws -> Reply {
        let span = min(turn, deadline.secondsLeft ?? turn)
        let query = [("timeout", "\(Int(span * 1000))ms")]
        let request = Request(Endpoints.named("operation.wait"), [id.rawValue], query: query)
        return try send(request, until: deadline, waiting: span)
    }

    /// Repeats what fails only because the daemon is away, for at most ``absence``.
    func patiently<T>(until deadline: Deadline, _ body: () throws -> T) throws -> T {
        let giveUp = Deadline.after(seconds: Self.absence)
        while true {
            do {
                return try body()
            } catch let error as ClientError where error.isPassing && !giveUp.hasPassed {
                try Poll.sleep(seconds: 0.2, until: deadline, interrupts)
            } catch let problem as Problem where problem.errorCode == .daemonStopping && !giveUp.hasPassed {
                try Poll.sleep(seconds: 0.2, until: deadline, interrupts)
            }
        }
    }
}
