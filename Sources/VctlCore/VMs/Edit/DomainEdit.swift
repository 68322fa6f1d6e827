// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// A change of a saved definition: what is asked for changes, everything else stays in its place.
struct DomainEdit {
    /// The definition, as changed so far.
    var domain: DomainXML
    /// What was changed, in order, a sentence each.
    private(set) var changes: [String] = []

    /// Where the variables of a firmware are.
    private let variables: (Firmware) -> String?

    init(_ domain: DomainXML, variables: @escaping (Firmware) -> String? = { _ in nil }) {
        self.domain = domain
        self.variables = variables
    }

    /// Changes all that the patch names of the hardware.
    /// - Throws: ``Problem`` `request.invalid` for what does not fit this definition.
    mutating func apply(_ patch: VMPatch) throws {
        try setCPUs(patch.cpus, most: patch.maxCpus)
        try setMemory(patch.memoryBytes?.bytes, most: patch.maxMemoryBytes?.bytes)
        setFirmware(patch.firmware)
        setTPM(patch.tpm)
        setGraphics(patch.graphics)
        if let machine = patch.machine, machine != domain.osMachine {
            domain.osMachine = machine
            note("make it a machine of type \(machine)")
        }
        setCPUModel(patch.cpuModel)
        setBoot(patch)
        setPanicDevice(patch.onCrash)
    }

    mutating func note(_ change: String) { changes.append(change) }

    private mutating func setFirmware(_ firmware: Firmware?) {
        guard let firmware, firmware != domain.firmware else { return }
        Hardware.setFirmware(firmware, variables: variables(firmware), of: &domain)
        note("boot with \(firmware.rawValue)")
    }

    private mutating func setTPM(_ wanted: Bool?) {
        guard let wanted, wanted != domain.hasTPM else { return }
        domain.tpms = wanted ? [Hardware.tpm] : []
        note(wanted ? "add a TPM" : "remove the TPM")
    }

    private mutating func setGraphics(_ wanted: GraphicsKind?) {
        guard let wanted, domain.graphicsKinds != (wanted == .none ? [] : [wanted.rawValue]) else { return }
        Hardware.setGraphics(wanted, of: &domain)
        note(wanted == .none ? "remove the screen" : "show its screen by \(wanted.rawValue)")
    }

    /// A guest's NUMA nodes and its topology are no part of its CPU's model.
    private mutating func setCPUModel(_ model: String?) {
        guard let model else { return }
        var cpu = Hardware.cpu(model)
        for name in ["topology", "numa"] {
            if let kept = domain.element[path: Path("cpu/\(name)")] { cpu.append(kept) }
        }
        guard domain.element[child: "cpu"] != cpu else { return }
        domain.element[child: "cpu"] = cpu
        note("give it CPUs of model \(model)")
    }

    private mutating func setPanicDevice(_ onCrash: CrashAction?) {
        guard onCrash != nil, domain.type == "kvm" || domain.type == "qemu" else { return }
        let before = domain
        Hardware.addPanicDevice(to: &domain)
        if domain.xml != before.xml { note("give it a device by which it tells of a panic") }
    }

    private mutating func setBoot(_ patch: VMPatch) {
        let before = [domain.osKernel, domain.osInitrd, domain.osCmdline]
        if let kernel = patch.kernel { domain.osKernel = kernel.orNil }
        if let initrd = patch.initrd { domain.osInitrd = initrd.orNil }
        if let cmdline = patch.cmdline { domain.osCmdline = cmdline.orNil }
        if domain.osKernel == nil { (domain.osInitrd, domain.osCmdline) = (nil, nil) }
        guard before != [domain.osKernel, domain.osInitrd, domain.osCmdline] else { return }
        note(domain.osKernel.map { "boot the kernel \($0)" } ?? "boot from its disks")
    }
}

extension DomainXML {
    /// Whether it has a TPM of any kind.
    var hasTPM: Bool { !self.tpms.isEmpty }
}

extension DomainXML {
    /// The kinds of its screens.
    var graphicsKinds: [String] { self.graphics.map { $0.type ?? "" } }
}

extension RemovableText {
    /// The text; `nil` where it is to go.
    var orNil: String? { text.isEmpty ? nil : text }
}
