// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Adds a NIC to a VM, changes one, or takes one away.
struct VMNICOperation: OperationKind {
    static let name = "vm.nic"

    struct Request: Codable, Sendable {
        var vm: ObjectReference
        var change: Change
        /// What is booted afterwards, where that changes.
        var boot: Boot?
        /// What is said of the NIC in the mark, where that changes.
        var guarding: Guarding?
        /// What DHCP keeps for it no more.
        var frees: AddressKeeping.Kept?
        /// What DHCP keeps for it from now on.
        var keeps: AddressKeeping.Kept?
    }

    enum Change: Codable, Sendable {
        case add(DomainPlan.NIC)
        case remove(mac: String)
        case set(mac: String, NICSetting, before: NICSetting)
    }

    struct Boot: Codable, Hashable, Sendable {
        var before: BootOrder
        var after: BootOrder
    }

    struct Guarding: Codable, Hashable, Sendable {
        var mac: String
        var before: Mark.NIC?
        var after: Mark.NIC?
    }

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let devices = DeviceEffects(environment: environment, id: request.vm.id)
        let isLost = if case .remove = request.change { true } else { false }
        // A NIC is kept from spoofing before it is there, and until it is gone.
        if let guarding = request.guarding, !isLost { try await guardNIC(guarding, request, journal) }
        if !isLost, let kept = request.frees { try await journal.free(kept, "free", environment) }
        if let kept = request.keeps { try await journal.keep(kept, "keep", environment) }
        switch request.change {
        case .add(let nic):
            let mac = nic.mac
            try await environment.nicGuard.hold([GuardedNIC(nic)].compactMap(\.self))
            try await journal.step("attach", undo: { try await devices.detach(.nic(mac)) }) {
                try await devices.attach(.nic(mac), nic.xml.element)
            }
        case .remove(let mac):
            try journal.pointOfNoReturn()
            try await journal.step("detach") { try await devices.detach(.nic(mac)) }
        case .set(let mac, let setting, let before):
            try await journal.step("update", undo: { try await devices.change(mac, before) }) {
                try await devices.change(mac, setting)
            }
        }
        if let guarding = request.guarding, isLost { try await guardNIC(guarding, request, journal) }
        if isLost, let kept = request.frees { try await journal.free(kept, "free", environment) }
        if let boot = request.boot {
            try await journal.step("boot", undo: { try await devices.boot(boot.before) }) {
                try await devices.boot(boot.after)
            }
        }
        try await journal.step("observe") { try await environment.observe(request.vm.id) }
        return Outcome(request.vm)
    }

    private func guardNIC(_ guarding: Guarding, _ request: Request, _ journal: Journal) async throws {
        let id = request.vm.id
        let tap: String? = if case .add(let nic) = request.change { nic.tap } else { nil }
        let undo: @Sendable () async throws -> Void = {
            try await note(guarding.before, guarding.mac, id)
            try await environment.nicGuard.drop([tap].compactMap(\.self))
        }
        try await journal.step("guard", undo: undo) {
            try await note(guarding.after, guarding.mac, id)
            try await environment.nicGuard.ensure()
        }
    }

    private func note(_ part: Mark.NIC?, _ mac: String, _ id: ObjectID) async throws {
        let domains = DomainEffects(environment: environment)
        let domain = try await domains.existing(id)
        try await environment.turns.alone(id) {
            try await domains.changeMark(of: domain) { $0.put(part, mac: mac) }
        }
        try await environment.observe(id)
    }
}
