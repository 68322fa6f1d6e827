// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Whether this host's QEMU has the machine type and the CPU that a request names. libvirt itself would say
/// so only when the VM is started, or in words about something else.
struct HardwareCheck: Sendable {
    let connection: Connection
    let accelerator: Accelerator

    /// What a request names of the hardware; `nil`: nothing.
    struct Wishes {
        var machine: String?
        var cpuModel: String?
        var firmware: Firmware?
        var tpm: Bool?
        var graphics: GraphicsKind?

        var isEmpty: Bool {
            machine == nil && cpuModel == nil && (firmware ?? .bios) == .bios && tpm != true
                && (graphics ?? GraphicsKind.none) == .none
        }
    }

    /// - Throws: ``Problem`` `request.invalid`.
    func check(_ wishes: Wishes) async throws {
        guard !wishes.isEmpty else { return }
        let capabilities = try await capabilities(wishes.machine)
        try Self.check(wishes.firmware ?? .bios, capabilities)
        if wishes.tpm == true, !capabilities.tpmBackends.contains("emulator") {
            throw Self.refusal("tpm", "true", "not to be had: there is no swtpm", "apt-get install swtpm")
        }
        if let graphics = wishes.graphics, graphics != .none,
            !capabilities.graphicsTypes.contains(graphics.rawValue)
        {
            throw Self.refusal(
                "graphics", graphics.rawValue, "nothing that this host's QEMU was built with",
                "virsh domcapabilities lists what there is")
        }
        if let cpuModel = wishes.cpuModel, !Self.has(cpuModel, capabilities) {
            let how = accelerator == .kvm ? "under KVM" : "by emulation"
            throw Self.refusal(
                "cpuModel", cpuModel, "no CPU model of this host \(how)",
                "virsh domcapabilities lists what there is")
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
            throw Self.refusal(
                "machine", machine ?? "q35", reason, "qemu-system-x86_64 -machine help lists what there is")
        }
    }

    private static func check(_ firmware: Firmware, _ capabilities: DomainCapabilitiesXML) throws {
        let isThere =
            switch firmware {
            case .bios: true
            case .uefi: capabilities.firmwares.contains("efi")
            case .uefiSecure: capabilities.firmwares.contains("efi") && capabilities.secureBoot
            }
        guard !isThere else { return }
        throw refusal(
            "firmware", firmware.rawValue, "not to be had for this machine: there is no such OVMF image",
            "apt-get install ovmf")
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
            hint: hint,
            errors: [FieldProblem(field, reason)])
    }
}

extension HardwareCheck {
    /// Checks what a patch asks for against the domain as it would be.
    static func check(_ patch: VMPatch, of domain: Domain, _ connection: Connection) async throws {
        var wishes = Wishes()
        (wishes.machine, wishes.cpuModel) = (patch.machine, patch.cpuModel)
        (wishes.firmware, wishes.tpm, wishes.graphics) = (patch.firmware, patch.tpm, patch.graphics)
        guard !wishes.isEmpty else { return }
        let xml = try DomainXML(parsing: try await domain.xml(.inactive))
        guard let type = xml.type, ["kvm", "qemu"].contains(type) else { return }
        if wishes.machine == nil { wishes.machine = xml.osMachine }
        try await HardwareCheck(connection: connection, accelerator: type == "kvm" ? .kvm : .tcg).check(
            wishes)
    }
}
