// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// One verb over several operations: all are tried, then what came of them is printed.
final class OperationRun {
    let client: Client
    let deadline: Deadline
    private let ids: [String]
    private let output: OutputOptions
    private let strict: Bool
    private var previews = false
    private var warned = false

    init(_ options: OperationOptions, strict: Bool = false) throws {
        _ = try Printer(.operation, options.output)
        client = options.connect.client()
        client.interrupts = Interrupts()
        deadline = options.timeout.deadline
        ids = try checkedReferences(options.ids)
        output = options.output
        self.strict = strict
    }

    /// Runs the verb for each.
    /// - Throws: ``Ended`` with the first failure's code.
    func each(_ verb: (String) throws -> Reply) throws {
        var replies: [Reply] = []
        var first: ExitCode?
        for id in ids where first != .interrupted {
            do {
                replies.append(try verb(id))
            } catch {
                let failure = Failure(error)
                for line in failure.lines { Standard.error(line) }
                first = first ?? failure.exit
            }
        }
        if !replies.isEmpty { try print(replies) }
        if let first { throw Ended(exit: first) }
        if warned, strict { throw Ended(exit: .warnings) }
    }

    private func print(_ replies: [Reply]) throws {
        if previews { return try Previews.print(replies, output.format, asArray: ids.count > 1) }
        try Printer(.operation, output).objects(replies.map(\.bytes), asArray: ids.count > 1, detailed: false)
    }

    func operation(_ id: String) throws -> Operation {
        try client.send(Request(Endpoints.named("operation.show"), [id]), until: deadline).decoded()
    }

    /// Waits for its end.
    func follow(_ operation: Operation) throws -> Reply {
        let line = ProgressLine(operation.id.short)
        defer { line.clear() }
        let name = operation.resources.first?.name ?? operation.id.short
        do {
            return try client.followed(operation.id, until: deadline, turn: line.turn) { line.show($0) }.reply
        } catch {
            line.clear()
            throw Batch.leaving(operation, name, Failure(error))
        }
    }

    /// Passes on an operation that ended as hoped.
    /// - Throws: a ``Failure`` for one that did not.
    func judged(_ reply: Reply, good: Set<OperationStatus>) throws -> Reply {
        let operation = try reply.decoded(as: Operation.self)
        for warning in operation.warnings {
            warned = true
            Standard.error("warning: \(shown(warning, limit: 1000))")
        }
        if good.contains(operation.status) { return reply }
        let name = operation.resources.first?.name ?? operation.id.short
        guard operation.status == .succeeded else { throw Failure(operation, about: name) }
        throw Failure(
            message: "operation \(operation.id) had succeeded before it could be cancelled",
            code: ErrorCode.operationState.rawValue, hint: nil, exit: .conflict)
    }

    /// What a verb would do; the daemon is asked only whether the operation is there.
    func preview(_ id: String, _ action: String, _ change: String) throws -> Reply {
        previews = true
        let operation = try operation(id)
        return try Previews.local(action, operation.id.rawValue, "\(operation.kind): \(change)")
    }
}
