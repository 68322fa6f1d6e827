// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// Some output of a command, as it comes.
public enum ExecOutput: Sendable {
    case stdout([UInt8])
    case stderr([UInt8])
}

extension VMService {
    /// Starts a command in a guest. What hangs is known before the reply begins, and so has a status of its
    /// own.
    /// - Throws: ``Problem`` `request.invalid`, `vm.state`, `agent.unresponsive`, `agent.missing`,
    ///   `agent.failed`.
    public func exec(_ reference: Reference, _ exec: VMExec, _ context: RequestContext) async throws
        -> ExecRun
    {
        try VMRules.refuse(Self.problems(exec))
        let row = try await current(reference, context)
        let agent = try await answering(row)
        try await inventory.write { try $0.audit(context, target: row.name) }
        return try await GuestExec(agent: agent, request: exec).start()
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
