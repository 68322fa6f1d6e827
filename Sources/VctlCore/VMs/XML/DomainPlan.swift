// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// A new VM with everything decided and minted, so that building its XML again gives the same text: it is
/// stored in the operation's journal before anything is done.
struct DomainPlan: Codable, Hashable, Sendable {
    /// What the connection runs domains with; libvirt's test driver knows only `type='test'`.
    enum Flavor: String, Codable, Sendable {
        case qemu, test

        /// The flavour behind libvirt's name of the hypervisor (`virConnectGetType`).
        init(hypervisor: String) { self = hypervisor.uppercased() == "TEST" ? .test : .qemu }
    }

    /// libvirt's UUID, and the id in the mark.
    var id: ObjectID
    var name: String
    /// The instance whose mark it bears.
    var instance: ObjectID
    var flavor: Flavor = .qemu
    var description: String?
    var cpus: Int
    /// Up to where CPUs can be added while it runs.
    var maxCpus: Int?
    var memoryBytes: Int64
    /// Up to where DIMMs can be added while it runs.
    var maxMemoryBytes: Int64?
    /// QEMU's machine type.
    var machine = "q35"
    var firmware = Firmware.bios
    /// The file of the firmware's variables.
    var variables: String?
    /// Whether it has an emulated TPM 2.0; `nil`, as in older journals: no.
    var tpm: Bool?
    var accelerator = Accelerator.tcg
    /// A named CPU model, or `host`, `host-model`, `max`; by the accelerator without it.
    var cpuModel: String?
    var disks: [Disk] = []
    var nics: [NIC] = []
    var boot: KernelBoot?
    /// Where libvirt keeps all that is said on the serial line.
    var consoleLog: String?
    /// Whether it has a graphics card and a VNC server on a Unix socket of libvirt's choosing.
    var screen = true
    /// What serves it; `nil`, as in older journals: VNC.
    var graphics: GraphicsKind?
    /// Everything in the mark, the ids aside.
    var labels: [String: String] = [:]
    var image: ImageReference?
    var createdAt: Timestamp?
    /// Who asked for it: `USER` or `uid N`.
    var creator: String?
    var protected = false
    /// `nil`, as in older journals: it does not start with the host, or libvirt starts it.
    var startRule: Mark.StartRule?
    var onCrash: CrashAction?
    var profile: String?

    /// The least plan; everything else is set afterwards.
    init(id: ObjectID, name: String, instance: ObjectID, cpus: Int, memoryBytes: Int64) {
        self.id = id
        self.name = name
        self.instance = instance
        self.cpus = cpus
        self.memoryBytes = memoryBytes
    }

    /// A kernel that is booted without a boot loader.
    struct KernelBoot: Codable, Hashable, Sendable {
        var kernel: String
        var initrd: String?
        var cmdline: String?
    }

    /// What a disk is for.
    enum Role: String, Codable, Sendable {
        case root, data, seed, cdrom
    }

    /// A disk or CD-ROM drive.
    struct Disk: Codable, Hashable, Sendable {
        enum Device: String, Codable, Sendable { case disk, cdrom }
        enum Source: String, Codable, Sendable { case file, block }

        var role: Role
        var device: Device = .disk
        /// `nil`: an empty drive.
        var path: String?
        var source: Source = .file
        var format: DiskFormat
        var bus: DiskBus
        /// `vda`, `sda`; see ``Minting/Targets``.
        var target: String
        /// What the guest sees; at most 20 characters, since virtio-blk has no room for more.
        var serial: String
        var readOnly = false
        /// From 1; `nil`: never booted.
        var bootOrder: Int?
        /// A preallocated image keeps its blocks even when the guest writes zeroes.
        var preallocated = false
        /// The volume's id, for the mark.
        var volume: ObjectID?

        init(
            role: Role, device: Device = .disk, path: String?, source: Source = .file, format: DiskFormat,
            bus: DiskBus, target: String, serial: String, readOnly: Bool = false, bootOrder: Int? = nil
        ) {
            self.role = role
            self.device = device
            self.path = path
            self.source = source
            self.format = format
            self.bus = bus
            self.target = target
            self.serial = serial
            self.readOnly = readOnly
            self.bootOrder = bootOrder
        }

        /// The seed's CD-ROM. On virtio-scsi, since cloud kernels have no driver for SATA.
        static func seed(path: String, target: String, serial: String) -> Disk {
            Disk(
                role: .seed, device: .cdrom, path: path, format: .raw, bus: .scsi, target: target,
                serial: serial, readOnly: true)
        }

        /// An installer's CD-ROM. On SATA, which every installer and firmware can read, Windows' too.
        static func cdrom(path: String?, target: String, serial: String, bootOrder: Int?) -> Disk {
            Disk(
                role: .cdrom, device: .cdrom, path: path, format: .raw, bus: .sata, target: target,
                serial: serial, readOnly: true, bootOrder: bootOrder)
        }
    }

    /// A network interface.
    struct NIC: Codable, Hashable, Sendable {
        var mac: String
        /// The libvirt network; without it `bridge`.
        var network: String?
        var bridge: String?
        var model = "virtio"
        /// The name of the TAP, so that rules for it can exist before the first packet.
        var tap: String
        /// All else that is said of it; `nil`, as in older journals: nothing.
        var setting: NICSetting?
        /// From 1; `nil`: never booted.
        var bootOrder: Int?
        /// What of it is in the mark; `nil`, as in older journals: nothing.
        var guarding: Mark.NIC?

        init(mac: String, network: String?, bridge: String? = nil, model: String = "virtio", tap: String) {
            self.mac = mac
            self.network = network
            self.bridge = bridge
            self.model = model
            self.tap = tap
        }
    }

    /// The mark that its domain bears.
    /// The files of disks that were there before.
    var existingDisks: [String] {
        disks.filter { $0.device == .disk && $0.volume == nil }.compactMap(\.path)
    }

    var mark: Mark {
        var mark = Mark(instance: instance, id: id)
        mark.labels = labels
        mark.image = image
        mark.createdAt = createdAt
        mark.creator = creator
        mark.protected = protected
        mark.start = startRule
        mark.onCrash = onCrash
        mark.profile = profile
        mark.nics = nics.compactMap(\.guarding)
        mark.disks = disks.map { Mark.Disk(target: $0.target, role: $0.role.rawValue, volume: $0.volume) }
        return mark
    }
}
