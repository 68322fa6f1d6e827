// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI
import VctlClient

/// What every command that makes a VM understands.
struct CreationOptions: ParsableArguments {
    @Option(
        name: .customLong("wait-for"),
        help: .init("none, running, ip, agent, cloud-init or tcp:PORT.", valueName: "condition"),
        transform: Self.condition)
    var waitFor: Goal = .none

    @Flag(name: .customLong("if-not-exists"), help: "A VM of this name is no error, and stays as it is.")
    var ifNotExists = false

    @OptionGroup var key: KeyOption
    @OptionGroup var wait: WaitOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var connect: ConnectOptions

    /// What `--wait-for` waits for.
    enum Goal: Hashable {
        case none
        case some(WaitCondition)
    }

    static func condition(_ text: String) throws -> Goal {
        text == "none" ? .none : .some(try Parse.condition(text))
    }

    /// - Parameter starts: whether the VM is started.
    func check(starts: Bool, hint: String) throws {
        guard waitFor == .none || (starts && wait.wait) else {
            throw Failure.usage("--wait-for needs a VM that is started and waited for", hint: hint)
        }
        _ = try Printer(.vm, output)
    }
}

/// The run of a command that makes a VM: request, operation, condition.
struct VMCreation {
    let name: Name
    let options: CreationOptions
    private let client: Client
    private let deadline: Deadline

    init(_ name: Name, _ options: CreationOptions) {
        self.name = name
        self.options = options
        client = options.connect.client()
        deadline = options.wait.deadline
    }

    /// - Parameter request: without an idempotency key.
    func run(_ request: Request) throws {
        let batch = Batch(client, .vm, options.output, options.wait)
        guard let outcome = try accepted(request, batch) else { return try printExisting() }
        if case .some(let condition) = options.waitFor, case .operation = outcome {
            try finish(outcome, condition)
        } else {
            try batch.finish(name.rawValue, outcome)
        }
    }

    /// `nil` where there is such a VM already, and that is fine.
    private func accepted(_ request: Request, _ batch: Batch) throws -> Outcome? {
        let request = options.wait.dryRun ? request : try request.keyed(options.key.key)
        do {
            return try batch.outcome(try client.sendKeyed(request, until: deadline))
        } catch let problem as Problem where problem.errorCode == .vmExists && options.ifNotExists {
            return nil
        }
    }

    private func printExisting() throws {
        Standard.error("\(name) exists; nothing to do")
        let request = Request(Endpoints.named("vm.show"), [name.rawValue])
        let reply = try client.send(request, until: deadline)
        try Printer(.vm, options.output).objects([reply.bytes], asArray: false, detailed: false)
    }

    private func finish(_ outcome: Outcome, _ condition: WaitCondition) throws {
        guard case .operation(let operation, _) = outcome else { return }
        let name = name.rawValue
        let ended = try follow(operation, name)
        for warning in ended.warnings { Standard.error("warning: \(shown(warning, limit: 1000))") }
        guard ended.status == .succeeded else { throw Failure(ended, about: name) }
        let loop = WaitLoop(
            client: client, deadline: deadline, name: name, condition: condition,
            id: ended.result?.id.rawValue)
        try Printer(.vm, options.output).objects([try loop.run()], asArray: false, detailed: false)
        if options.wait.strict, !ended.warnings.isEmpty { throw Ended(exit: .warnings) }
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
