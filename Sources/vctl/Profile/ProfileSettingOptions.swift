// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import VctlAPI

/// What a profile says of its VMs, by the flags that `vm create` has for it.
struct ProfileSettingOptions: ParsableArguments {
    @Option(
        name: .customLong("image"), help: .init("Make the first disk from this image.", valueName: "image"),
        completion: Live.images, transform: Parse.reference)
    var image: Reference?

    @Flag(exclusivity: .exclusive) var clone: CloneFlag?

    @OptionGroup(title: "Hardware") var machine: MachineOptions
    @OptionGroup(title: "Guest") var guest: GuestOptions
    @OptionGroup(title: "Life") var keeping: KeepingOptions

    @Option(name: .customLong("disk-size"), help: "The size of an image's disk.", transform: Parse.size)
    var diskSize: ByteCount?
    @Option(name: .customLong("disk-pool"), help: "Where disks go.", transform: Parse.reference)
    var diskPool: Reference?
    @Option(name: .customLong("disk-bus"), help: "virtio, scsi or sata.", transform: Parse.choice)
    var diskBus: DiskBus?
    @Option(name: .customLong("disk-format"), help: "qcow2 or raw.", transform: Parse.choice)
    var diskFormat: DiskFormat?
    @Option(
        name: .customLong("disk-preallocation"), help: "off, metadata, falloc or full.",
        transform: Parse.choice)
    var diskPreallocation: Preallocation?

    @Option(
        name: .customLong("network"),
        help: .init("As of vm create, but for mac=; or none.", valueName: "network"),
        transform: Parse.network)
    var networks: [NICSpec?] = []

    @Option(
        name: .customLong("vm-label"), help: .init("A label of its VMs; may be repeated.", valueName: "k=v"),
        transform: Parse.keyValue)
    var vmLabels: [KeyValue] = []

    @Option(name: .customLong("vm-description"), help: "What its VMs are for.")
    var vmDescription: String?

    /// - Throws: a ``Failure`` where flags do not go together.
    func settings() throws -> ProfileSettings {
        guard machine.kernel == nil, machine.initrd == nil, machine.cmdline == nil else {
            throw Failure.usage(
                "--kernel, --initrd and --cmdline are no part of a profile",
                hint: "give them to vm create")
        }
        guard !networks.contains(nil) || networks.count == 1 else {
            throw Failure.usage("--network none cannot stand beside another --network")
        }
        try keeping.check()
        var body = VMCreate(name: Name.example)
        machine.fill(&body)
        keeping.fill(&body)
        var settings = ProfileSettings(hardwareOf: body)
        settings.image = image
        settings.clone = clone.map { $0 == .full ? .full : .linked }
        settings.disk = disk
        settings.networks = networks.isEmpty ? nil : networks.compactMap { $0 }
        settings.user = guest.user
        let keys = try guest.sshKeys.flatMap { try Files.publicKeys($0) }
        settings.sshKeys = keys.isEmpty ? nil : keys
        settings.labels =
            vmLabels.isEmpty ? nil : Dictionary(vmLabels.map { ($0.key, $0.value) }) { $1 }
        settings.description = vmDescription
        return settings
    }

    private var disk: DiskSpec? {
        var disk = DiskSpec(sizeBytes: diskSize)
        disk.pool = diskPool
        disk.bus = diskBus
        disk.format = diskFormat
        disk.preallocation = diskPreallocation
        return disk == DiskSpec() ? nil : disk
    }

    /// What cloud-init is told.
    func texts() throws -> (cloudInit: Secret?, networkConfig: Secret?) {
        try guest.check()
        return (
            try guest.cloudInit.map { Secret(try Files.text($0)) },
            try guest.networkConfig.map { Secret(try Files.text($0)) }
        )
    }
}

extension ProfileSettings {
    /// What the flags about hardware and life have put into a request.
    fileprivate init(hardwareOf body: VMCreate) {
        self.init()
        cpus = body.cpus
        memoryBytes = body.memoryBytes
        maxCpus = body.maxCpus
        maxMemoryBytes = body.maxMemoryBytes
        firmware = body.firmware
        tpm = body.tpm
        graphics = body.graphics
        machine = body.machine
        cpuModel = body.cpuModel
        autostart = body.autostart
        autostartOrder = body.autostartOrder
        autostartDelaySeconds = body.autostartDelaySeconds
        onCrash = body.onCrash
        protected = body.protected
    }
}
