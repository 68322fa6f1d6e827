// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Some output of a command, as it comes.
public enum ExecOutput: Sendable {
    case stdout([UInt8])
    case stderr([UInt8])
}

extension VMService {
    /// Runs a command in a guest. Returns when it is known that it can be tried; the rest is in the run.
    /// - Throws: ``Problem`` `request.invalid`, `vm.state`.
    public func exec(_ reference: Reference, _ exec: VMExec, _ context: RequestContext) async throws
        -> ExecRun
    {
        try VMRules.refuse(Self.problems(exec))
        let row = try await current(reference, context)
        let state = try row.value().state
        guard state == .running else {
            throw Problem(
                .vmState, "VM \(shown(row.name)) is \(state.rawValue)",
                hint: "vctl vm start \(shown(row.name))")
        }
        // What hangs is known before the reply begins, and so has a status of its own.
        let agent = environment.agent(of: row.reference)
        try await agent.tell("guest-ping", Empty())
        try await inventory.write { try $0.audit(context, target: row.name) }
        return ExecRun(exec: GuestExec(agent: agent, request: exec))
    }

    private static func problems(_ exec: VMExec) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        if exec.command.first?.isEmpty ?? true {
            problems.append(FieldProblem("command", "a program and its arguments"))
        }
        let texts =
            exec.command + [exec.directory ?? ""] + (exec.environment ?? [:]).flatMap { [$0.key, $0.value] }
        if texts.contains(where: { $0.utf8.contains(0) }) {
            problems.append(FieldProblem("command", "no zero bytes"))
        }
        for name in (exec.environment ?? [:]).keys.sorted() where name.isEmpty || name.contains("=") {
            problems.append(FieldProblem("environment.\(shown(name))", "a name without ="))
        }
        return problems
    }
}

/// A command that is about to run in a guest.
public struct ExecRun: Sendable {
    let exec: GuestExec

    /// Runs it, passing on what it prints.
    /// - Returns: its exit status.
    /// - Throws: ``Problem``; what `sink` throws.
    public func run(_ sink: @Sendable (ExecOutput) async throws -> Void) async throws -> Int {
        try await exec.run(sink)
    }
}
