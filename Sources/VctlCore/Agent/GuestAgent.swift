// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

/// The agent of one guest (QEMU's docs/interop/qemu-ga-ref). A guest answers one command at a time; each has
/// a deadline of its own, and nobody but those who ask the same guest waits for it.
struct GuestAgent: Sendable {
    /// Takes a command to the guest, and brings back what came of it, unread; with its deadline in seconds.
    typealias Line = @Sendable (_ command: String, _ seconds: Int32) async throws -> String

    let vm: ObjectReference
    /// How long one command may take, in seconds.
    var seconds: Int32
    private let line: Line

    init(vm: ObjectReference, seconds: Int32 = 10, line: @escaping Line) {
        self.vm = vm
        self.seconds = seconds
        self.line = line
    }

    /// The agent behind libvirt's channel.
    init(vm: ObjectReference, lanes: AgentLanes, turns: Turns, seconds: Int32 = 10) {
        self.init(vm: vm, seconds: seconds) { command, seconds in
            try await turns.alone(vm.id) {
                try await lanes.use { connection in
                    // Who has stopped waiting for its turn asks no more: this may be another boot by now.
                    try Task.checkCancellation()
                    let answer = try await connection.domain(uuid: vm.id.uuid).agentCommand(
                        command, timeoutSeconds: seconds)
                    lanes.heard(vm.id)
                    return answer
                }
            }
        }
    }

    /// Sends a command and reads what it returns.
    /// - Throws: ``Problem`` `agent.unresponsive`, `agent.missing`, `agent.failed`, `vm.state`.
    func send<Reply: Decodable & Sendable>(
        _ command: String, _ arguments: some Encodable & Sendable, as type: Reply.Type = Reply.self
    ) async throws -> Reply {
        let text = try await exchange(try JSON.text(Command(execute: command, arguments: arguments)))
        do {
            return try JSON.value(Answer<Reply>.self, text).return
        } catch {
            throw Problem(
                .agentFailed, "the agent of VM \(shown(vm.name)) gave no sensible answer to \(command)")
        }
    }

    /// Sends a command whose answer says nothing.
    func tell(_ command: String, _ arguments: some Encodable & Sendable) async throws {
        _ = try await exchange(try JSON.text(Command(execute: command, arguments: arguments)))
    }

    /// Whether it answers now.
    func answers() async -> Bool { (try? await tell("guest-ping", Empty())) != nil }

    /// Whether it knows a command, and has been told not to obey it.
    func forbids(_ command: String) async -> Bool {
        struct Info: Decodable {
            struct Command: Decodable { var name: String, enabled: Bool }
            var commands: [Command]
            enum CodingKeys: String, CodingKey { case commands = "supported_commands" }
        }
        let info = try? await send("guest-info", Empty(), as: Info.self)
        return info?.commands.contains { $0.name == command && !$0.enabled } ?? false
    }

    /// Asks the guest to power itself off. Not by `virDomainShutdown`, which waits for a minute for the guest
    /// to do so.
    /// - Returns: whether it was asked; an agent says nothing to this unless it refuses.
    func shutDown() async -> Bool {
        struct Shutdown: Encodable { var mode = "powerdown" }
        guard await answers() else { return false }
        var quick = self
        quick.seconds = 2
        do {
            try await quick.tell("guest-shutdown", Shutdown())
            return true
        } catch let problem as Problem {
            return problem.errorCode == .agentUnresponsive
        } catch {
            return false
        }
    }

    private func exchange(_ json: String) async throws -> String {
        do {
            return try await line(json, seconds)
        } catch let error as LibvirtError {
            throw problem(error)
        } catch is AgentLanes.Full {
            throw Problem(
                .agentUnresponsive,
                "too many guests' agents are slow to answer to ask that of VM \(shown(vm.name))",
                hint: "try again; vctl vm list --columns name,agent shows whose agents do not answer")
        }
    }

    private func problem(_ error: LibvirtError) -> Problem {
        let name = shown(vm.name)
        switch error.code {
        case .agentUnresponsive, .operationTimeout:
            return Problem(
                .agentUnresponsive, "the guest agent of VM \(name) does not answer",
                hint: "vctl vm wait \(name) --for agent; in the guest: systemctl status qemu-guest-agent")
        case .agentUnsynced:
            return Problem(
                .agentUnresponsive, "the guest agent of VM \(name) is out of step", hint: "try again")
        case .argumentUnsupported, .configUnsupported:
            return Problem(
                .agentMissing, "VM \(name) has no channel for a guest agent",
                hint: "vctl vm xml \(name) shows its channels; VMs that vctl makes have one")
        case .operationInvalid, .noDomain:
            return Problem(.vmState, "VM \(name) is not running", hint: "vctl vm start \(name)")
        default:
            guard !error.isOfTransport else { return Problem(libvirt: error) }
            return Problem(.agentFailed, "the guest agent of VM \(name): \(shown(error.message, limit: 500))")
        }
    }

    private struct Command<Arguments: Encodable & Sendable>: Encodable, Sendable {
        var execute: String
        var arguments: Arguments
    }

    private struct Answer<Value: Decodable & Sendable>: Decodable, Sendable {
        var `return`: Value
    }
}
