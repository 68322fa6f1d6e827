// SPDX-License-Identifier: Apache-2.0
import VctlAPI

extension VMService {
    /// Waits until a condition holds, at most as long as asked.
    public func wait(_ reference: Reference, _ request: VMWait) async throws -> WaitOutcome {
        let seconds = request.timeoutSeconds ?? 30
        let range = Limits.waitSeconds
        guard range.contains(seconds) else {
            let problem = "from \(range.lowerBound) to \(range.upperBound)"
            throw Problem(
                .requestInvalid, "timeoutSeconds: \(problem)",
                errors: [FieldProblem("timeoutSeconds", problem)])
        }
        let row = try await row(reference)
        let deadline = Timestamp(milliseconds: Timestamp.now.milliseconds + Int64(seconds) * 1000)
        while true {
            let missing = await WaitCheck(environment: environment).missing(request.condition, row.id)
            if missing == nil || Timestamp.now >= deadline || Task.isCancelled {
                let vm = try await self.row(.id(row.id)).value()
                return WaitOutcome(condition: request.condition, met: missing == nil, reason: missing, vm: vm)
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }
}

/// Whether a condition holds for a VM now.
struct WaitCheck: Sendable {
    let environment: VMEnvironment

    /// What is still missing; `nil` when the condition holds.
    func missing(_ condition: WaitCondition, _ id: ObjectID) async -> String? {
        guard let vm = try? await environment.inventory.read({ try VMStore.value($0, id) }) else {
            return "the VM is gone"
        }
        guard environment.hypervisor.isConnected else {
            return "libvirt cannot be reached, so nobody knows; last seen it was \(vm.state.rawValue)"
        }
        if condition == .stopped { return vm.state == .stopped ? nil : "it is \(vm.state.rawValue)" }
        guard vm.state == .running else { return "it is \(vm.state.rawValue)" }
        switch condition {
        case .running, .stopped: return nil
        case .ip: return await address(id) == nil ? "it has no address yet" : nil
        case .agent: return await agent(id) ? nil : "its guest agent does not answer"
        case .cloudInit: return await cloudInit(id)
        case .tcp(let port): return await tcp(id, port)
        }
    }

    private func address(_ id: ObjectID) async -> String? {
        let vm = try? await AddressReader(environment: environment).refresh(id)
        return vm.flatMap { $0 }?.nics.flatMap(\.addresses).first?.address
    }

    private func agent(_ id: ObjectID) async -> Bool {
        await environment.agent(of: ObjectReference(kind: .vm, id: id, name: "\(id)"), seconds: 3).answers()
    }

    /// cloud-init leaves this file at the end of its last stage, whatever came of it.
    private func cloudInit(_ id: ObjectID) async -> String? {
        let agent = environment.agent(of: ObjectReference(kind: .vm, id: id, name: "\(id)"), seconds: 5)
        guard await agent.answers() else { return "its guest agent does not answer" }
        guard let file = try? await GuestFile("/var/lib/cloud/instance/boot-finished", .read, agent) else {
            return await agent.forbids("guest-file-open")
                ? "its guest agent is configured to open no files, so nobody knows what cloud-init does"
                : "cloud-init has not finished"
        }
        await file.giveUp()
        return nil
    }

    private func tcp(_ id: ObjectID, _ port: Int) async -> String? {
        guard let address = await address(id) else { return "it has no address yet" }
        return await TCPProbe.connects(to: address, port: port)
            ? nil : "\(address) port \(port) does not answer"
    }
}
