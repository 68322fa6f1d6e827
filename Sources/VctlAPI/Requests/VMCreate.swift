// SPDX-License-Identifier: Apache-2.0

/// How a disk is made from an image.
public enum CloneMode: String, APIEnum {
    /// Reads from the image what it has not written itself: instant, and the image cannot go.
    case linked
    /// A copy that stands alone.
    case full
}

/// The bus of a disk.
public enum DiskBus: String, APIEnum {
    case virtio, scsi, sata
}

/// How much of a new disk is allocated at once.
public enum Preallocation: String, APIEnum {
    case off, metadata, falloc, full
}

/// A request for a new VM.
public struct VMCreate: Codable, Sendable {
    public var name: Name
    /// What gives everything that this request does not say.
    public var profile: Reference?
    public var description: String?
    /// The image that the first disk is made from.
    public var image: Reference?
    /// How the first disk is made from `image`; `linked` without it.
    public var clone: CloneMode?
    /// An ISO on the host, for a CD-ROM drive that is booted when there is no bootable disk.
    public var cdrom: String?
    /// An existing disk on the host, used where it is.
    public var `import`: String?
    /// libvirt's whole definition, of which `name` replaces the name. For admins. Files that it names are
    /// used where they are; a UUID in it is the VM's.
    public var xml: Secret?
    /// A kernel on the host, booted directly.
    public var kernel: String?
    /// The initial RAM disk for `kernel`.
    public var initrd: String?
    /// The command line for `kernel`.
    public var cmdline: String?
    /// Virtual CPUs, 1 without it.
    public var cpus: Int?
    /// 1 GiB without it.
    public var memoryBytes: ByteCount?
    public var maxCpus: Int?
    public var maxMemoryBytes: ByteCount?
    /// The first of them sets the size of the disk that is made from `image`; the others are new and empty.
    public var disks: [DiskSpec]?
    /// Without it: the network `default` where there is one. An empty list: no NIC.
    public var networks: [NICSpec]?
    /// The user that cloud-init creates.
    public var user: String?
    /// Public keys that may log in as `user`.
    public var sshKeys: [String]?
    /// cloud-init's user-data, instead of what `user` and `sshKeys` make.
    public var cloudInit: Secret?
    /// cloud-init's network-config.
    public var networkConfig: Secret?
    public var firmware: Firmware?
    /// Whether it has an emulated TPM 2.0.
    public var tpm: Bool?
    /// Its screen; `vnc` without it.
    public var graphics: GraphicsKind?
    /// QEMU's machine type, `q35` without it.
    public var machine: String?
    /// A CPU model; the host's (KVM) or the fullest (TCG) without it.
    public var cpuModel: String?
    public var labels: [String: String]?
    /// Whether it starts with the host; an order or a delay says so, too.
    public var autostart: Bool?
    /// Its place among those that vctld starts with the host, the lowest first.
    public var autostartOrder: Int?
    /// Seconds that vctld waits after its start before it starts the next one.
    public var autostartDelaySeconds: Int?
    /// What is done when it crashes; `stop` without it.
    public var onCrash: CrashAction?
    public var protected: Bool?
    /// Whether it is started at once; `true` without it.
    public var start: Bool?

    /// The least request; everything else is set afterwards.
    public init(name: Name) { self.name = name }
}

/// A disk of a new VM.
public struct DiskSpec: Codable, Hashable, Sendable {
    public var sizeBytes: ByteCount?
    /// `default` without it.
    public var pool: Reference?
    public var bus: DiskBus?
    public var format: DiskFormat?
    public var preallocation: Preallocation?
    public init(sizeBytes: ByteCount? = nil) { self.sizeBytes = sizeBytes }
}
