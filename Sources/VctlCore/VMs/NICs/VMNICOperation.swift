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

    let environment: VMEnvironment

    func run(_ request: Request, _ journal: Journal) async throws -> Outcome {
        let devices = DeviceEffects(environment: environment, id: request.vm.id)
        switch request.change {
        case .add(let nic):
            let mac = nic.mac
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
        if let boot = request.boot {
            try await journal.step("boot", undo: { try await devices.boot(boot.before) }) {
                try await devices.boot(boot.after)
            }
        }
        try await journal.step("observe") { try await environment.observe(request.vm.id) }
        return Outcome(request.vm)
    }
}
