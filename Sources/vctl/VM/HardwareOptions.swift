// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// How the first disk is made.
enum CloneFlag: String, EnumerableFlag {
    case linked, full

    static func help(for value: CloneFlag) -> ArgumentHelp? {
        switch value {
        case .linked: "The disk reads from the image what it has not written (default)."
        case .full: "The disk is a copy that stands alone."
        }
    }
}

/// What a new VM consists of.
struct HardwareOptions: ParsableArguments {
    @Option(
        name: .customLong("image"), help: .init("Make the first disk from this image.", valueName: "image"),
        transform: Parse.reference)
    var image: Reference?

    @Option(name: .customLong("cdrom"), help: .init("An ISO on the host.", valueName: "path"))
    var cdrom: String?

    @Option(name: .customLong("import"), help: .init("An existing disk on the host.", valueName: "volume"))
    var imported: String?

    @Option(name: .customLong("kernel"), help: .init("A kernel on the host.", valueName: "path"))
    var kernel: String?

    @Option(name: .customLong("initrd"), help: .init("The initial RAM disk for --kernel.", valueName: "path"))
    var initrd: String?

    @Option(name: .customLong("cmdline"), help: .init("The command line for --kernel.", valueName: "text"))
    var cmdline: String?

    @Flag(exclusivity: .exclusive) var clone: CloneFlag?

    // `.unconditional`: a negative number is then refused as one, and not taken for a flag.
    @Option(
        name: .customLong("cpus"), parsing: .unconditional,
        help: .init("Virtual CPUs, 1 without it.", valueName: "n"),
        transform: Parse.positive)
    var cpus: Int?

    @Option(
        name: .customLong("memory"), parsing: .unconditional,
        help: .init("Memory, 1G without it.", valueName: "size"), transform: Parse.size)
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
        name: .customLong("disk"), parsing: .unconditionalSingleValue,
        help: .init(
            "SIZE[,pool=][,bus=][,format=][,preallocation=]; the first one sizes the image's disk.",
            valueName: "disk"),
        transform: Parse.disk)
    var disks: [DiskSpec] = []

    @Option(
        name: .customLong("network"),
        help: .init("NAME[,mac=][,model=], or none.", valueName: "network"), transform: Parse.network)
    var networks: [NICSpec?] = []

    @Option(name: .customLong("firmware"), help: "bios, uefi or uefi-secure.", transform: Parse.choice)
    var firmware: Firmware?

    @Option(name: .customLong("machine"), help: "QEMU's machine type, q35 without it.")
    var machine: String?

    @Option(name: .customLong("cpu-model"), help: "The CPU model.")
    var cpuModel: String?

    /// - Throws: a ``Failure`` where flags do not go together.
    func check() throws {
        guard !networks.contains(nil) || networks.count == 1 else {
            throw Failure.usage("--network none cannot stand beside another --network")
        }
        guard clone == nil || image != nil else {
            throw Failure.usage(
                "--linked and --full say how a disk is made from an image", hint: "add --image IMAGE")
        }
        guard kernel != nil || (initrd == nil && cmdline == nil) else {
            throw Failure.usage("--initrd and --cmdline need --kernel")
        }
    }

    func fill(_ body: inout VMCreate) {
        body.image = image
        body.clone = clone.map { $0 == .full ? .full : .linked }
        body.cdrom = cdrom
        body.import = imported
        body.kernel = kernel
        body.initrd = initrd
        body.cmdline = cmdline
        body.cpus = cpus
        body.memoryBytes = memory
        body.maxCpus = maxCpus
        body.maxMemoryBytes = maxMemory
        body.disks = disks.isEmpty ? nil : disks
        body.networks = networks.isEmpty ? nil : networks.compactMap { $0 }
        body.firmware = firmware
        body.machine = machine
        body.cpuModel = cpuModel
    }
}
