// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A file of a guest that is being read.
public struct GuestDownload: Sendable {
    let file: GuestFile
    let first: [UInt8]

    /// Passes its bytes on, to the end.
    /// - Throws: ``Problem``; what `sink` throws.
    public func run(_ sink: @Sendable ([UInt8]) async throws -> Void) async throws {
        do {
            var bytes = first
            while !bytes.isEmpty {
                try await sink(bytes)
                bytes = try await file.read()
            }
            try await file.close()
        } catch {
            await file.giveUp()
            throw error
        }
    }
}

extension VMService {
    /// Opens a file of a guest for reading. What hangs, or is not there, is known before the reply begins.
    /// - Throws: ``Problem`` `request.invalid`, `vm.state`, `agent.unresponsive`, `agent.failed`.
    public func pull(_ reference: Reference, _ path: String, _ context: RequestContext) async throws
        -> GuestDownload
    {
        let (agent, row) = try await answering(reference, path, context)
        let file = try await GuestFile(path, .read, agent)
        let first: [UInt8]
        do { first = try await file.read() } catch {
            // A directory can be opened, too.
            await file.giveUp()
            throw error
        }
        try await inventory.write { try $0.audit(context, target: row.name) }
        return GuestDownload(file: file, first: first)
    }

    /// Writes a file of a guest. It is complete beside its place before it takes that; where there is a file
    /// already, it gets that one's owner and mode.
    /// - Throws: ``Problem``; what `body` throws: the guest's file is as before then.
    public func push(
        _ reference: Reference, _ path: String, mode: String?,
        _ body: some AsyncSequence<[UInt8], any Error> & Sendable, _ context: RequestContext
    ) async throws {
        try Self.check(mode: mode)
        let (agent, row) = try await answering(reference, path, context)
        try await inventory.write { try $0.audit(context, target: row.name) }
        try await GuestUpload(agent: agent, path: path).run(body, mode: mode)
    }

    /// What ``push(_:_:mode:_:_:)`` would do, as far as is known without touching the guest's files.
    /// - Throws: ``Problem`` where it could not even begin.
    public func previewPush(
        _ reference: Reference, _ path: String, mode: String?, _ context: RequestContext
    ) async throws -> Preview {
        try Self.check(mode: mode)
        let (_, row) = try await answering(reference, path, context)
        let change = "write the guest's file \(path)" + (mode.map { ", with mode \($0)" } ?? "")
        return Preview(action: context.action, target: row.name, changes: [change])
    }

    private static func check(mode: String?) throws {
        guard let mode, !isMode(mode) else { return }
        throw Problem(
            .requestInvalid, "mode: \(shown(mode)) is no file mode",
            hint: "three or four octal digits, such as 0644",
            errors: [FieldProblem("mode", "three or four octal digits")])
    }

    private static func isMode(_ text: String) -> Bool {
        (3...4).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x37).contains($0) }
    }

    /// The agent of a VM that runs, and that answers.
    func answering(_ reference: Reference, _ path: String, _ context: RequestContext) async throws -> (
        GuestAgent, VMRow
    ) {
        guard path.hasPrefix("/") || path.dropFirst().hasPrefix(":"), path.utf8.count <= Limits.path,
            !path.utf8.contains(0)
        else {
            throw Problem(
                .requestInvalid, "path: \(shown(path)) is no absolute path in the guest",
                errors: [FieldProblem("path", "an absolute path in the guest")])
        }
        let row = try await current(reference, context)
        return (try await answering(row), row)
    }

    /// - Throws: ``Problem`` `vm.state`, `agent.unresponsive`, `agent.missing`.
    func answering(_ row: VMRow) async throws -> GuestAgent {
        let state = try row.value().state
        guard state == .running else {
            throw Problem(
                .vmState, "VM \(shown(row.name)) is \(state.rawValue)",
                hint: "vctl vm start \(shown(row.name))")
        }
        let agent = environment.agent(of: row.reference)
        // One that hangs takes a command once it wakes: it is asked something harmless first.
        if !environment.lanes.hasHeard(row.id, within: .seconds(5)) {
            try await agent.tell("guest-ping", Empty())
        }
        return agent
    }
}
