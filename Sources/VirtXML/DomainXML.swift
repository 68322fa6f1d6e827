// SPDX-License-Identifier: Apache-2.0

/// A `<domain>` document. Sizes are bytes.
public struct DomainXML: DocumentView, MetadataView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "domain"
    /// The properties.
    public static let fields = DomainFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `DomainXML`.
public final class DomainFields: Sendable {
    /// The hypervisor: `kvm`, `qemu`, `lxc`, `test`.
    public let type = Field<String>("@type")
    /// The number while it runs.
    public let id = Field<Int>("@id")
    /// The name.
    public let name = Field<String>("name")
    /// The UUID.
    public let uuid = Field<String>("uuid")
    /// A short title.
    public let title = Field<String>("title")
    /// A text for people.
    public let description = Field<String>("description")

    /// Memory at start, hotplugged DIMMs included.
    public let memoryBytes = Field<UInt64>(size: "memory", unit: "KiB")
    /// What the balloon leaves the guest.
    public let currentMemoryBytes = Field<UInt64>(size: "currentMemory", unit: "KiB")
    /// Up to where memory can be hotplugged.
    public let maxMemoryBytes = Field<UInt64>(size: "maxMemory", unit: "KiB")
    /// Slots for hotplugged DIMMs.
    public let maxMemorySlots = Field<Int>("maxMemory/@slots")
    /// `memfd`, `file`, `anonymous`.
    public let memorySource = Field<String>("memoryBacking/source/@type")
    /// `shared`, `private`.
    public let memoryAccess = Field<String>("memoryBacking/access/@mode")
    /// Whether huge pages back the memory.
    public let hugepages = Flag("memoryBacking/hugepages")

    /// The most vCPUs it can have.
    public let vcpusMaximum = Field<Int>("vcpu")
    /// The vCPUs at start, where not the maximum.
    public let vcpusCurrent = Field<Int>("vcpu/@current")
    /// `static`, `auto`.
    public let vcpuPlacement = Field<String>("vcpu/@placement")
    /// The host CPUs that vCPUs may run on.
    public let vcpuCpuset = Field<String>("vcpu/@cpuset")
    /// The number of I/O threads.
    public let ioThreads = Field<Int>("iothreads")

    /// `host-passthrough`, `host-model`, `custom`, `maximum`.
    public let cpuMode = Field<String>("cpu/@mode")
    /// The named model.
    public let cpuModel = Field<String>("cpu/model")
    /// `exact`, `minimum`, `strict`.
    public let cpuMatch = Field<String>("cpu/@match")
    /// `none`, `partial`, `full`.
    public let cpuCheck = Field<String>("cpu/@check")
    /// Sockets.
    public let cpuSockets = Field<Int>("cpu/topology/@sockets")
    /// Dies in a socket.
    public let cpuDies = Field<Int>("cpu/topology/@dies")
    /// Cores in a die.
    public let cpuCores = Field<Int>("cpu/topology/@cores")
    /// Threads in a core.
    public let cpuThreads = Field<Int>("cpu/topology/@threads")

    /// `efi`, `bios`: libvirt chooses the image.
    public let osFirmware = Field<String>("os/@firmware")
    /// `hvm`, `exe`.
    public let osType = Field<String>("os/type")
    /// `x86_64`, `aarch64`.
    public let osArch = Field<String>("os/type/@arch")
    /// The machine type.
    public let osMachine = Field<String>("os/type/@machine")
    /// The firmware image.
    public let osLoader = Field<String>("os/loader")
    /// `pflash`, `rom`.
    public let osLoaderType = Field<String>("os/loader/@type")
    /// Whether the firmware image is read-only.
    public let osLoaderReadonly = Field<Bool>("os/loader/@readonly")
    /// Whether the firmware needs System Management Mode.
    public let osLoaderSecure = Field<Bool>("os/loader/@secure")
    /// The file of UEFI variables.
    public let osNvram = Field<String>("os/nvram")
    /// What that file is made from.
    public let osNvramTemplate = Field<String>("os/nvram/@template")
    /// The kernel to boot.
    public let osKernel = Field<String>("os/kernel")
    /// Its initial RAM disk.
    public let osInitrd = Field<String>("os/initrd")
    /// Its command line.
    public let osCmdline = Field<String>("os/cmdline")
    /// Boot devices in order: `hd`, `cdrom`, `network`, `fd`.
    public let osBootDevices = ListField<String>(values: "os/boot/@dev")
    /// Whether the firmware offers a boot menu.
    public let osBootMenu = Field<Bool>("os/bootmenu/@enable")
    /// Where SMBIOS data come from: `emulate`, `host`, `sysinfo`.
    public let osSmbiosMode = Field<String>("os/smbios/@mode")
    /// A container's first program.
    public let osInit = Field<String>("os/init")

    /// ACPI.
    public let acpi = Flag("features/acpi")
    /// APIC.
    public let apic = Flag("features/apic")
    /// Physical address extension.
    public let pae = Flag("features/pae")
    /// System Management Mode.
    public let smm = Field<Bool>(onOff: "features/smm/@state")
    /// The VMware port.
    public let vmport = Field<Bool>(onOff: "features/vmport/@state")

    /// `utc`, `localtime`.
    public let clockOffset = Field<String>("clock/@offset")
    /// The timers.
    public let clockTimers = ListField<TimerXML>("clock/timer")
    /// `destroy`, `restart`, `preserve`.
    public let onPoweroff = Field<String>("on_poweroff")
    /// `destroy`, `restart`, `preserve`.
    public let onReboot = Field<String>("on_reboot")
    /// `destroy`, `restart`, `preserve`, `coredump-destroy`.
    public let onCrash = Field<String>("on_crash")

    /// The program that runs it.
    public let emulator = Field<String>("devices/emulator")
    /// Disks, CD-ROMs and floppies.
    public let disks = ListField<DiskXML>("devices/disk")
    /// Network interfaces.
    public let interfaces = ListField<InterfaceXML>("devices/interface")
    /// Bus controllers.
    public let controllers = ListField<ControllerXML>("devices/controller")
    /// Serial ports.
    public let serials = ListField<CharacterDeviceXML>("devices/serial")
    /// Consoles.
    public let consoles = ListField<CharacterDeviceXML>("devices/console")
    /// Channels to programs in the guest.
    public let channels = ListField<CharacterDeviceXML>("devices/channel")
    /// Remote displays.
    public let graphics = ListField<GraphicsXML>("devices/graphics")
    /// Video cards.
    public let videos = ListField<VideoXML>("devices/video")
    /// Keyboards, mice, tablets.
    public let inputs = ListField<InputXML>("devices/input")
    /// Random number generators.
    public let rngs = ListField<RngXML>("devices/rng")
    /// Trusted platform modules.
    public let tpms = ListField<TpmXML>("devices/tpm")
    /// The memory balloon.
    public let memballoon = Field<MemballoonXML>(view: "devices/memballoon")
    /// Devices of the host.
    public let hostdevs = ListField<HostdevXML>("devices/hostdev")
    /// Shared directories.
    public let filesystems = ListField<FilesystemXML>("devices/filesystem")
    /// DIMMs and other memory devices.
    public let memoryDevices = ListField<MemoryDeviceXML>("devices/memory")
    /// Arguments handed to QEMU as they are. Declare `xmlns:qemu` on the root before setting them.
    public let qemuArguments = ListField<String>(values: "qemu:commandline/qemu:arg/@value")
}
