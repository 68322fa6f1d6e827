// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VctlClient

/// One request of a verb that may have several.
struct Job {
    /// What it is about, as the user named it.
    let name: String
    let request: Request
}

/// What became of a job.
enum Outcome {
    /// The object, or what a dry run found.
    case reply(Reply)
    case preview(Reply)
    /// Accepted; not waited for yet.
    case operation(Operation, Reply)
    case failed
}

/// Runs the requests of one verb: all are sent, then all are waited for, then what came of them is printed.
/// Every one is tried; the exit code is the first failure's.
final class Batch {
    let client: Client
    let noun: Noun
    let output: OutputOptions
    let wait: WaitOptions
    /// Whether an object is left to print when the operation has ended.
    var leavesObject = true
    /// Whether a lone job still prints an array: its name came from a selection.
    var asArray = false
    /// Whether it is said of a changed VM what waits for its next start.
    var saysPending = false
    /// Errors with these codes mean that there is nothing to do.
    var ignored: Set<String> = []

    private let deadline: Deadline
    private var failures: [Int: ExitCode] = [:]
    private var warned = false
    private var found = Found()

    /// What is to be printed.
    private struct Found {
        var objects: [[UInt8]] = []
        var operations: [[UInt8]] = []
        var previews: [Reply] = []
    }

    init(_ client: Client, _ noun: Noun, _ output: OutputOptions, _ wait: WaitOptions) {
        self.client = client
        self.noun = noun
        self.output = output
        self.wait = wait
        deadline = wait.deadline
        client.interrupts = Interrupts()
    }

    /// Sends, waits and prints.
    /// - Throws: ``Ended`` with the first failure's code.
    func run(_ jobs: [Job]) throws { try run(rounds: [jobs]) }

    /// The same for jobs of which a round is sent when the one before has ended.
    func run(rounds: [[Job]]) throws {
        // A wrong column is found before anything is changed.
        let printer = try Printer(noun, output)
        var count = 0
        for jobs in rounds {
            let sent = jobs.enumerated().map { accept(count + $0.offset, $0.element) }
            settle(jobs, sent, from: count)
            count += jobs.count
        }
        try end(count, printer)
    }

    /// The same for requests that were sent elsewhere.
    func finish(_ name: String, _ outcome: Outcome) throws {
        let job = Job(name: name, request: Request(method: "GET", target: "/"))
        let printer = try Printer(noun, output)
        settle([job], [outcome], from: 0)
        try end(1, printer)
    }

    private func settle(_ jobs: [Job], _ sent: [Outcome], from first: Int) {
        for (index, outcome) in sent.enumerated() {
            switch outcome {
            case .failed: continue
            case .preview(let reply): found.previews.append(reply)
            case .reply(let reply):
                if saysPending { tellPending(reply) }
                if !reply.bytes.isEmpty { found.objects.append(reply.bytes) }
            case .operation(let operation, let reply) where !wait.wait:
                note(operation, jobs[index].name)
                found.operations.append(reply.bytes)
            case .operation(let operation, _):
                guard let (ended, reply) = follow(first + index, operation, jobs[index].name) else {
                    continue
                }
                if leavesObject, let object = object(of: ended) {
                    found.objects.append(object)
                } else {
                    found.operations.append(reply.bytes)
                }
            }
        }
    }

    private func end(_ count: Int, _ printer: Printer) throws {
        try print(asArray || count > 1, printer)
        if let first = failures.min(by: { $0.key < $1.key })?.value { throw Ended(exit: first) }
        if warned, wait.strict { throw Ended(exit: .warnings) }
    }

    private func tellPending(_ reply: Reply) {
        guard let vm = try? reply.decoded(as: VM.self), let pending = vm.pending, !pending.isEmpty else {
            return
        }
        let list = pending.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        Standard.error("\(shown(vm.name)): waits for the next start: \(shown(list, limit: 1000))")
    }

    private func print(_ several: Bool, _ printer: Printer) throws {
        if !found.previews.isEmpty { try Previews.print(found.previews, output.format, asArray: several) }
        if !found.objects.isEmpty { try printer.objects(found.objects, asArray: several, detailed: false) }
        guard !found.operations.isEmpty else { return }
        // What was deleted is not there to be shown; only a program wants to read how it went.
        if wait.wait, !leavesObject,
            output.format == .table || output.format == .name || output.format == .csv
        {
            return
        }
        try Printer(.operation, output.format).objects(found.operations, asArray: several, detailed: false)
    }

    // MARK: Sending

    private func accept(_ index: Int, _ job: Job) -> Outcome {
        do {
            return try outcome(try client.send(job.request, until: deadline))
        } catch ClientError.interrupted {
            Standard.error("error: interrupted before \(shown(job.name)) was accepted (client.interrupted)")
            failures[index] = .interrupted
        } catch let problem as Problem where ignored.contains(problem.code) {
            Standard.error("\(shown(job.name)): \(shown(problem.detail, limit: 500)); nothing to do")
        } catch {
            fail(index, Failure(error))
        }
        return .failed
    }

    /// Reads what a reply is.
    func outcome(_ reply: Reply) throws -> Outcome {
        if wait.dryRun { return .preview(reply) }
        guard reply.head.status == 202 else { return .reply(reply) }
        return .operation(try reply.decoded(as: Operation.self), reply)
    }

    private func fail(_ index: Int, _ failure: Failure) {
        for line in failure.lines { Standard.error(line) }
        failures[index] = failure.exit
    }

    // MARK: Waiting

    private func follow(_ index: Int, _ operation: Operation, _ name: String) -> (Operation, Reply)? {
        let line = ProgressLine(name)
        defer { line.clear() }
        do {
            let (ended, reply) = try client.followed(operation.id, until: deadline, turn: line.turn) {
                line.show($0)
            }
            line.clear()
            note(ended, name)
            if ended.status == .succeeded { return (ended, reply) }
            fail(index, Failure(ended, about: name))
        } catch {
            line.clear()
            fail(index, Self.leaving(operation, name, Failure(error)))
        }
        return nil
    }

    /// What is said when the operation goes on without us.
    static func leaving(_ operation: Operation, _ name: String, _ failure: Failure) -> Failure {
        guard failure.exit == .interrupted || failure.exit == .timeout else { return failure }
        var failure = failure
        failure.message += "; operation \(operation.id) (\(operation.kind) \(name)) goes on"
        failure.hint = "vctl operation wait \(operation.id), or vctl operation cancel \(operation.id)"
        return failure
    }

    private func note(_ operation: Operation, _ name: String) {
        for warning in operation.warnings {
            warned = true
            Standard.error("warning: \(shown(warning, limit: 1000))")
        }
    }

    /// The object that an operation left, as it is now.
    private func object(of operation: Operation) -> [UInt8]? {
        let reference = operation.result ?? operation.resources.first { $0.kind.rawValue == noun.name }
        guard let reference, reference.kind.rawValue == noun.name else { return nil }
        // A part of another object is found by its name only.
        let parameters = noun.name == Noun.volume.name ? try? noun.parameters(reference.name) : nil
        let request = Request(
            Endpoints.named("\(noun.name).show"), parameters ?? [reference.id.rawValue])
        return try? client.send(request, until: deadline).bytes
    }
}
