// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// Starts, stops, restarts, resets, pauses and resumes. Nothing is undone: a VM that was powered off is not
/// what it was before when it is started again.
struct VMPowerOperation: OperationKind {
    static let name = "vm.power"
    static let isUndone = false

    struct Request: Codable, Sendable {
        var vm: ObjectReference
        var change: PowerChange
    }

    let environment: VMEnvironment
    private var domains: DomainEffects { DomainEffects(environment: environment) }

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let id = request.vm.id
        switch request.change {
        case .start(let paused, let discard, let rescue):
            try await start(request.vm, paused, discard, rescue, journal)
        case .stop(let grace, let force): try await stop(request.vm, grace, force, journal)
        case .restart(let grace, let force):
            try await stop(request.vm, grace, force, journal)
            try await start(request.vm, false, false, nil, journal)
        case .reset: try await journal.step("reset") { try await domains.existing(id).reset() }
        case .pause: try await journal.step("pause") { try await domains.pause(id) }
        case .resume:
            try await journal.step("resume") { try await domains.resume(id) }
            try await setClock(request.vm, journal, looks: 1)
        case .suspend: try await journal.step("suspend") { try await domains.suspend(id) }
        }
        try await journal.step("observe") { try await environment.observe(id) }
        return Outcome(request.vm)
    }

    private func start(
        _ vm: ObjectReference, _ paused: Bool, _ discard: Bool, _ rescue: RescueBoot?, _ journal: Journal
    ) async throws {
        let id = vm.id
        if discard {
            try await journal.step("discard") { try await domains.discardState(id) }
        }
        if let volume = rescue?.volume {
            let storage = VolumeMaker(environment: environment)
            try await journal.step("rescue-disk") {
                try await storage.make(volume) { journal.progress($0) }
            }
        }
        let wasSuspended = try await journal.step("saved") { try await domains.existing(id).hasManagedSave() }
        try await journal.step("start") {
            await environment.finishRename(id)
            if let rescue {
                try await domains.start(id, rescue: rescue, paused: paused)
            } else {
                try await domains.start(id, paused: paused)
            }
            if !paused { try await domains.resume(id) }
        }
        if wasSuspended, !paused { try await setClock(vm, journal, looks: 20) }
    }

    /// A guest that was halted has missed the time. Where no agent answers it has to find out by itself.
    private func setClock(_ vm: ObjectReference, _ journal: Journal, looks: Int) async throws {
        try await journal.step("clock") {
            guard try await agentComesUp(vm.id, looks) else { return }
            do {
                try await environment.agent(of: vm, seconds: 20).setClock(to: .now)
            } catch let problem as Problem {
                journal.warn("the guest's clock stands where it was: \(problem.detail)")
            }
        }
    }

    /// Whether the agent has its channel open; QEMU says so a moment after the guest's memory is back.
    private func agentComesUp(_ id: ObjectID, _ looks: Int) async throws -> Bool {
        for look in 0..<looks {
            if look > 0 { try await Task.sleep(for: .milliseconds(100)) }
            guard let state = try await domains.existing(id).agentState() else { return false }
            if state == .up { return true }
        }
        return false
    }

    private func stop(_ vm: ObjectReference, _ grace: Int, _ force: Bool, _ journal: Journal) async throws {
        if grace > 0 {
            let wasPaused = try await journal.step("look") { try await domains.isPaused(vm.id) }
            // The deadline is journaled: a restarted daemon does not begin the wait anew. It counts from when
            // the guest knows.
            let deadline = try await journal.step("ask") { () -> Timestamp in
                try await domains.askToShutDown(vm.id)
                return Timestamp(milliseconds: Timestamp.now.milliseconds + Int64(grace) * 1000)
            }
            let stopped = try await journal.step("wait") {
                try await ShutdownWait(environment: environment).run(vm.id, until: deadline)
            }
            if stopped { return }
            guard force else {
                if wasPaused { try await journal.step("pause-again") { try await domains.pause(vm.id) } }
                let state = wasPaused ? "paused, as before" : "running"
                throw Problem(
                    .vmStopTimeout, "VM \(vm.name) did not shut down within \(grace) s; it is still \(state)",
                    hint: "vctl vm stop \(vm.name) --force")
            }
        }
        try await journal.step("power-off") { try await domains.destroy(vm.id) }
    }
}

extension Domain {
    /// What the guest's end of its channel is; `nil` where it has no channel.
    fileprivate func agentState() async throws -> AgentState? {
        try DomainXML(parsing: try await xml()).agentState
    }
}

extension DomainEffects {
    func isPaused(_ id: ObjectID) async throws -> Bool {
        try await existing(id).status().state == .paused
    }

    func pause(_ id: ObjectID) async throws {
        let domain = try await existing(id)
        guard try await domain.status().state == .running else { return }
        try await domain.suspend()
    }

    func resume(_ id: ObjectID) async throws {
        let domain = try await existing(id)
        switch try await domain.status().state {
        case .paused: try await domain.resume()
        case .pmSuspended: try await domain.wakeUp()
        default: return
        }
    }

    /// Writing a guest's memory takes its time, and a connection on which nobody else waits.
    func suspend(_ id: ObjectID) async throws {
        guard try await existing(id).isActive() else { return }
        let connection = try await environment.hypervisor.managed.longConnection()
        do {
            try await connection.domain(uuid: id.uuid).managedSave()
        } catch let error as LibvirtError where error.code == .operationInvalid {
            // Somebody else was faster, or it is done from before a crash.
            guard try await !existing(id).isActive() else { throw error }
        }
    }

    func discardState(_ id: ObjectID) async throws {
        let domain = try await existing(id)
        if try await domain.hasManagedSave() { try await domain.removeManagedSave() }
    }

    /// The agent is asked where it answers, for it shuts down in order even where ACPI is ignored; else ACPI.
    /// An agent that hangs, or that others keep busy, is not waited for.
    func askToShutDown(_ id: ObjectID) async throws {
        let domain = try await existing(id)
        guard try await domain.isActive() else { return }
        do {
            try await ask(domain, toShutDown: id)
        } catch let error as LibvirtError where error.code == .operationInvalid {
            // It went down by itself in the midst of this.
            guard try await !domain.isActive() else { throw error }
        }
    }

    private func ask(_ domain: Domain, toShutDown id: ObjectID) async throws {
        if try await domain.status().state == .paused { try await domain.resume() }
        let agent = environment.agent(of: ObjectReference(kind: .vm, id: id, name: domain.name), seconds: 3)
        if await Patience.of(.seconds(4), { await agent.shutDown() }) == true { return }
        try Task.checkCancellation()
        do {
            try await domain.shutdown(.acpi)
        } catch let error as LibvirtError where error.meansUnsupportedFlags {
            try await domain.shutdown()
        }
    }
}

/// Waits until a guest is down, pressing the button again now and then: a guest that boots misses the first
/// press.
struct ShutdownWait: Sendable {
    let environment: VMEnvironment

    /// Whether it stopped in time.
    func run(_ id: ObjectID, until deadline: Timestamp) async throws -> Bool {
        let domains = DomainEffects(environment: environment)
        var pauses = 0
        while true {
            guard let domain = try await environment.hypervisor.domain(id), try await domain.isActive() else {
                return true
            }
            guard Timestamp.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(200))
            pauses += 1
            // Not in the last moments: an agent that hangs is waited for.
            let left = deadline.milliseconds - Timestamp.now.milliseconds
            if pauses % 25 == 0, left > 5000 { try? await domains.askToShutDown(id) }
        }
    }
}
