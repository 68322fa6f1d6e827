// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// The run of `vm create`: request, operation, condition.
struct VMCreation {
    let command: VMCreateCommand
    let client: Client
    let deadline: Deadline

    func run(_ body: VMCreate) throws {
        let batch = Batch(client, .vm, command.output, command.wait)
        guard let outcome = try accepted(body, batch) else { return try printExisting() }
        if case .some(let condition) = command.waitFor, case .operation = outcome {
            try finish(outcome, condition)
        } else {
            try batch.finish(command.name.rawValue, outcome)
        }
    }

    /// `nil` where there is such a VM already, and that is fine.
    private func accepted(_ body: VMCreate, _ batch: Batch) throws -> Outcome? {
        var request = try Request(Endpoints.named("vm.create"), query: command.wait.change.query).json(body)
        if !command.wait.dryRun { request = try request.keyed(command.key.key) }
        do {
            return try batch.outcome(try client.sendKeyed(request, until: deadline))
        } catch let problem as Problem where problem.errorCode == .vmExists && command.ifNotExists {
            return nil
        }
    }

    private func printExisting() throws {
        Standard.error("\(command.name) exists; nothing to do")
        let request = Request(Endpoints.named("vm.show"), [command.name.rawValue])
        let reply = try client.send(request, until: deadline)
        try Printer(.vm, command.output).objects([reply.bytes], asArray: false, detailed: false)
    }

    private func finish(_ outcome: Outcome, _ condition: WaitCondition) throws {
        guard case .operation(let operation, _) = outcome else { return }
        let name = command.name.rawValue
        let ended = try follow(operation, name)
        for warning in ended.warnings { Standard.error("warning: \(shown(warning, limit: 1000))") }
        guard ended.status == .succeeded else { throw Failure(ended, about: name) }
        let loop = WaitLoop(
            client: client, deadline: deadline, name: name, condition: condition,
            id: ended.result?.id.rawValue)
        try Printer(.vm, command.output).objects([try loop.run()], asArray: false, detailed: false)
        if command.wait.strict, !ended.warnings.isEmpty { throw Ended(exit: .warnings) }
    }

    private func follow(_ operation: Operation, _ name: String) throws -> Operation {
        let line = ProgressLine(name)
        defer { line.clear() }
        do {
            return try client.follow(operation.id, until: deadline, turn: line.turn) { line.show($0) }
        } catch {
            throw Batch.leaving(operation, name, Failure(error))
        }
    }
}

extension Client {
    /// Sends a request that has an idempotency key; it is asked again when the connection breaks first.
    func sendKeyed(_ request: Request, until deadline: Deadline) throws -> Reply {
        do {
            return try send(request, until: deadline)
        } catch let error as ClientError {
            guard case .lost = error, request.isRepeatable else { throw error }
            try Poll.sleep(seconds: 0.5, until: deadline, interrupts)
            return try send(request, until: deadline)
        }
    }
}
