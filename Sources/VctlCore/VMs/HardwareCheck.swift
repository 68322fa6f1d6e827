// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Whether this host's QEMU has the machine type and the CPU that a request names. libvirt itself would say
/// so only when the VM is started, or in words about something else.
struct HardwareCheck: Sendable {
    let connection: Connection
    let accelerator: Accelerator

    /// - Throws: ``Problem`` `request.invalid`.
    func check(machine: String?, cpuModel: String?) async throws {
        guard machine != nil || cpuModel != nil else { return }
        let capabilities = try await capabilities(machine)
        if let cpuModel, !Self.has(cpuModel, capabilities) {
            let how = accelerator == .kvm ? "under KVM" : "by emulation"
            throw Self.refusal(
                "cpuModel", cpuModel, "no CPU model of this host \(how)", "virsh domcapabilities")
        }
    }

    private func capabilities(_ machine: String?) async throws -> DomainCapabilitiesXML {
        do {
            return try DomainCapabilitiesXML(
                parsing: try await connection.domainCapabilities(
                    architecture: "x86_64", machine: machine ?? "q35",
                    type: accelerator == .kvm ? "kvm" : "qemu"))
        } catch let error as LibvirtError where error.code == .invalidArg {
            let reason = "no machine type of this host's QEMU"
            throw Self.refusal("machine", machine ?? "q35", reason, "qemu-system-x86_64 -machine help")
        }
    }

    private static func has(_ model: String, _ capabilities: DomainCapabilitiesXML) -> Bool {
        switch model {
        case "host", "host-passthrough": capabilities.cpuMode("host-passthrough") != nil
        case "host-model": capabilities.cpuMode("host-model") != nil
        case "max", "maximum": capabilities.cpuMode("maximum") != nil
        default: capabilities.cpuMode("custom")?.models.contains { $0.name == model } ?? false
        }
    }

    private static func refusal(_ field: String, _ value: String, _ reason: String, _ hint: String) -> Problem
    {
        Problem(
            .requestInvalid, "\(field): \"\(shown(value))\" is \(reason)",
            hint: "\(hint) lists what there is",
            errors: [FieldProblem(field, reason)])
    }
}
