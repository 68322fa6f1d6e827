// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// What a VM is beside its disks and NICs, of a new one and of one that is changed.
struct MachineOptions: ParsableArguments {
    // `.unconditional`: a negative number is then refused as one, and not taken for a flag.
    @Option(
        name: .customLong("cpus"), parsing: .unconditional,
        help: .init("Virtual CPUs; a new VM has 1 without it.", valueName: "n"),
        transform: Parse.positive)
    var cpus: Int?

    @Option(
        name: .customLong("memory"), parsing: .unconditional,
        help: .init("Memory; a new VM has 1G without it.", valueName: "size"), transform: Parse.size)
    var memory: ByteCount?

    @Option(
        name: .customLong("max-cpus"), parsing: .unconditional,
        help: .init("The most CPUs while it runs.", valueName: "n"), transform: Parse.positive)
    var maxCpus: Int?

    @Option(
        name: .customLong("max-memory"), parsing: .unconditional,
        help: .init("The most memory while it runs.", valueName: "size"), transform: Parse.size)
    var maxMemory: ByteCount?

    @Option(
        name: .customLong("kernel"), help: .init("A kernel on the host.", valueName: "path"),
        completion: .file())
    var kernel: String?

    @Option(
        name: .customLong("initrd"), help: .init("The initial RAM disk for --kernel.", valueName: "path"),
        completion: .file())
    var initrd: String?

    @Option(name: .customLong("cmdline"), help: .init("The command line for --kernel.", valueName: "text"))
    var cmdline: String?

    @Option(
        name: .customLong("firmware"), help: "bios, uefi or uefi-secure.",
        completion: Parse.choices(Firmware.self), transform: Parse.choice)
    var firmware: Firmware?

    @Flag(name: .customLong("tpm"), inversion: .prefixedNo, help: "Whether it has an emulated TPM 2.0.")
    var tpm: Bool?

    @Option(
        name: .customLong("graphics"),
        help: "none, or the screen on a Unix socket by vnc or spice; a new VM has vnc without it.",
        transform: Parse.choice)
    var graphics: GraphicsKind?

    @Option(name: .customLong("machine"), help: "QEMU's machine type; a new VM is a q35 without it.")
    var machine: String?

    @Option(name: .customLong("cpu-model"), help: "The CPU model.")
    var cpuModel: String?

    func fill(_ body: inout VMCreate) {
        body.kernel = kernel
        body.initrd = initrd
        body.cmdline = cmdline
        body.cpus = cpus
        body.memoryBytes = memory
        body.maxCpus = maxCpus
        body.maxMemoryBytes = maxMemory
        body.firmware = firmware
        body.tpm = tpm
        body.graphics = graphics
        body.machine = machine
        body.cpuModel = cpuModel
    }

    func fill(_ patch: inout VMPatch) {
        patch.kernel = kernel.map(RemovableText.init)
        patch.initrd = initrd.map(RemovableText.init)
        patch.cmdline = cmdline.map(RemovableText.init)
        patch.cpus = cpus
        patch.memoryBytes = memory
        patch.maxCpus = maxCpus
        patch.maxMemoryBytes = maxMemory
        patch.firmware = firmware
        patch.tpm = tpm
        patch.graphics = graphics
        patch.machine = machine
        patch.cpuModel = cpuModel
    }

    /// Whether anything is given.
    var isGiven: Bool {
        let given: [Any?] = [
            kernel, initrd, cmdline, cpus, memory, maxCpus, maxMemory, firmware, tpm, graphics,
            machine, cpuModel,
        ]
        return given.contains { $0 != nil }
    }
}
