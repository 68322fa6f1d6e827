// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Adds a NIC to a VM, moves one to another network, or takes one away.
struct VMNICOperation: OperationKind {
    static let name = "vm.nic"

    struct Request: Codable, Sendable {
        var vm: ObjectReference
        var change: Change
    }

    enum Change: Codable, Sendable {
        case add(DomainPlan.NIC)
        case remove(mac: String)
        case set(mac: String, Setting, before: Setting)
    }

    /// What of a NIC can be changed while it is in use; `nil`: as it is.
    struct Setting: Codable, Hashable, Sendable {
        var network: String?
        var link: Bool?
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
            try await journal.step("update", undo: { try await update(mac, before, devices) }) {
                try await update(mac, setting, devices)
            }
        }
        try await journal.step("observe") { try await environment.observe(request.vm.id) }
        return Outcome(request.vm)
    }

    private func update(_ mac: String, _ setting: Setting, _ devices: DeviceEffects) async throws {
        try await devices.update(.nic(mac), force: false) { element in
            var nic = InterfaceXML(element: element)
            if let network = setting.network {
                nic.element.remove(Path("source"))
                nic.type = "network"
                nic.sourceNetwork = network
            }
            if let link = setting.link { nic.linkState = link ? "up" : "down" }
            element = nic.element
        }
    }
}
