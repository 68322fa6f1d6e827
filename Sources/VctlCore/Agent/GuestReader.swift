// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// Asks a guest's agent what the guest is. Everything that it says may be made up: texts are cut to a length,
/// and so are lists.
struct GuestReader: Sendable {
    let agent: GuestAgent

    private static let longest = 256
    private static let mostFileSystems = 64

    /// What the agent says; what one of its questions fails with is left out.
    /// - Throws: ``Problem`` `agent.unresponsive`, `agent.missing`, `vm.state`: it can be asked nothing at
    /// all.
    func read(at time: Timestamp) async throws -> VM.Guest {
        try await agent.tell("guest-ping", Empty())
        var guest = VM.Guest(observedAt: time)
        guest.hostname = try await ask("guest-get-host-name", HostName.self)?.name.map(Self.cut)
        guest.os = try await ask("guest-get-osinfo", OSInfo.self)?.os
        guest.timezone = try await ask("guest-get-timezone", Zone.self)?.zone.map(Self.cut)
        let mounted = try await ask("guest-get-fsinfo", [Mounted].self) ?? []
        guest.fileSystems = mounted.prefix(Self.mostFileSystems).map(\.fileSystem).sorted {
            $0.mountpoint < $1.mountpoint
        }
        return guest
    }

    /// An agent need not know every question.
    private func ask<Reply: Decodable & Sendable>(_ command: String, _ type: Reply.Type) async throws
        -> Reply?
    {
        do {
            return try await agent.send(command, Empty(), as: type)
        } catch let problem as Problem where problem.errorCode == .agentFailed {
            return nil
        }
    }

    /// In scalars: one character can be megabytes of accents.
    private static func cut(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(longest)))
    }

    private struct HostName: Decodable, Sendable {
        var name: String?
        enum CodingKeys: String, CodingKey { case name = "host-name" }
    }

    private struct Zone: Decodable, Sendable { var zone: String? }

    private struct OSInfo: Decodable, Sendable {
        var id: String?
        var name: String?
        var version: String?
        var kernel: String?
        var machine: String?
        enum CodingKeys: String, CodingKey {
            case id, machine
            case name = "pretty-name", version = "version-id", kernel = "kernel-release"
        }

        var os: VM.OS {
            var os = VM.OS()
            (os.id, os.name) = (id.map(cut), name.map(cut))
            (os.version, os.kernel, os.machine) = (version.map(cut), kernel.map(cut), machine.map(cut))
            return os
        }
    }

    private struct Mounted: Decodable, Sendable {
        var mountpoint: String
        var type: String
        var total: Int64?
        var used: Int64?
        enum CodingKeys: String, CodingKey {
            case mountpoint, type
            case total = "total-bytes", used = "used-bytes"
        }

        var fileSystem: VM.FileSystem {
            var found = VM.FileSystem(mountpoint: cut(mountpoint), type: cut(type))
            (found.totalBytes, found.usedBytes) = (Self.size(total), Self.size(used))
            return found
        }

        private static func size(_ said: Int64?) -> Int64? { said.flatMap { $0 < 0 ? nil : $0 } }
    }
}

/// Asks the agents of running guests, once they open their channels and every minute then. One that does not
/// answer is asked again, and holds up nobody but itself.
struct GuestWatcher: Sendable {
    let environment: VMEnvironment

    /// Seconds between two questions to one guest.
    private static let period: Int64 = 60
    private let asking = Asking()

    init(environment: VMEnvironment) { self.environment = environment }

    /// Asks until the task is cancelled.
    func run() async {
        var asked: [ObjectID: Timestamp] = [:]
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(2))
            guard environment.hypervisor.isConnected, let present = try? await present() else { continue }
            let ids = Set(present.map(\.id))
            asked = asked.filter { ids.contains($0.key) }
            let now = Timestamp.now
            for vm in present where Self.isDue(vm.since, asked[vm.id], now) && asking.begin(vm.id) {
                asked[vm.id] = now
                Task {
                    await look(vm.reference)
                    asking.end(vm.id)
                }
            }
        }
    }

    private struct Present: Sendable {
        var reference: ObjectReference
        /// Since when the agent is in its state.
        var since: Int64
        var id: ObjectID { reference.id }
    }

    /// A channel that was opened since the last question, which a restarted guest does, too.
    private static func isDue(_ since: Int64, _ asked: Timestamp?, _ now: Timestamp) -> Bool {
        guard let asked else { return true }
        return since > asked.milliseconds || now.milliseconds - asked.milliseconds >= period * 1000
    }

    private func look(_ vm: ObjectReference) async {
        let agent = environment.agent(of: vm, seconds: 5)
        do {
            let guest = try await GuestReader(agent: agent).read(at: .now)
            try await note(vm.id, .up, guest)
        } catch let problem as Problem where problem.errorCode == .agentUnresponsive {
            try? await note(vm.id, .unresponsive, nil)
        } catch {
            // It was stopped meanwhile, or libvirt is away: both are seen elsewhere.
        }
    }

    private func note(_ id: ObjectID, _ state: AgentState, _ guest: VM.Guest?) async throws {
        try await environment.inventory.write { transaction in
            guard var vm = try VMStore.value(transaction.db, id), let known = vm.agent, known.state != .down
            else {
                return
            }
            if known.state != state { vm.agent = VM.Agent(state: state, since: .now) }
            if let guest { vm.guest = guest }
            try transaction.store(vm)
        }
    }

    /// Running VMs whose agent has opened its channel.
    private func present() async throws -> [Present] {
        try await environment.inventory.read { db in
            let statement = try db.cachedStatement(
                sql: """
                    SELECT id, name, document ->> '$.agent.since' AS since FROM vm
                    WHERE state = 'running' AND document ->> '$.agent.state' IN ('up', 'unresponsive')
                    """)
            return try Row.fetchAll(statement).compactMap { row in
                guard let id = ObjectID(row["id"] as String),
                    let since = try? Timestamp(checking: row["since"] as String)
                else {
                    return nil
                }
                return Present(
                    reference: ObjectReference(kind: .vm, id: id, name: row["name"]),
                    since: since.milliseconds)
            }
        }
    }
}
