// SPDX-License-Identifier: Apache-2.0

/// The state of a VM.
public enum VMState: String, APIEnum {
    case running, paused, stopped, suspended, crashed, missing, unknown
}

/// What is done when QEMU ends unasked, or the guest panics.
public enum CrashAction: String, APIEnum {
    /// It is started again, after a pause that grows, and not without end.
    case restart
    /// It stays off.
    case stop
}

/// What runs a VM's instructions.
public enum Accelerator: String, APIEnum {
    case kvm, tcg
}

/// How a VM's screen can be seen from the host.
public enum GraphicsKind: String, APIEnum {
    /// It has neither a screen nor a video card.
    case none
    /// VNC on a Unix socket.
    case vnc
    /// SPICE on a Unix socket.
    case spice
}

/// The firmware that starts a VM.
public enum Firmware: String, APIEnum {
    case bios
    case uefi
    case uefiSecure = "uefi-secure"
}

/// A virtual machine: libvirt's truth about a domain, with what vctl keeps beside it.
public struct VM: Codable, Hashable, Sendable {
    /// libvirt's UUID.
    public var id: ObjectID
    /// libvirt's name; a foreign domain may have one that vctl would not give.
    public var name: String
    /// What the admin says of it.
    public var description: String?
    public var state: VMState
    /// Why it is in that state.
    public var stateReason: StateReason?
    /// Virtual CPUs now.
    public var cpus: Int
    /// Memory now, in bytes.
    public var memoryBytes: Int64
    /// The most CPUs that can be added while it runs.
    public var maxCpus: Int?
    /// The most memory that can be added while it runs, in bytes.
    public var maxMemoryBytes: Int64?
    /// `nil` where the domain's type is neither KVM nor QEMU.
    public var accelerator: Accelerator?
    public var firmware: Firmware?
    /// Whether it has a TPM.
    public var tpm: Bool?
    /// QEMU's machine type.
    public var machine: String?
    public var disks: [Disk]
    public var nics: [NIC]
    /// Screens that a viewer can be connected to.
    public var graphics: [Graphics]?
    public var labels: [String: String]
    /// The image that its first disk was made from.
    public var image: ImageReference?
    /// The ISO or image that it was booted from this once, before its own disks.
    public var rescue: String?
    /// The profile that it was made with, by the name that it had then.
    public var profile: String?
    /// Whether it bears this instance's mark; what does not is foreign, and shown only.
    public var managed: Bool
    /// Whether it starts with the host.
    public var autostart: Bool
    /// Its place among those that vctld starts with the host, the lowest first. Without it and without a
    /// delay libvirt starts it, together with all others.
    public var autostartOrder: Int?
    /// Seconds that vctld waits after its start before it starts the next one.
    public var autostartDelaySeconds: Int?
    /// What is done when it crashes; `stop` without it.
    public var onCrash: CrashAction?
    /// Whether `delete` refuses it.
    public var protected: Bool
    public var createdAt: Timestamp?
    /// What differs in the saved definition until the next start: field → value.
    public var pending: [String: String]?
    /// The guest's agent; `nil`: it has no channel for one, or is off.
    public var agent: Agent?
    /// What the guest's agent has said.
    public var guest: Guest?
    /// When libvirt was last read.
    public var observedAt: Timestamp
    /// The operation that is changing it now.
    public var operation: ObjectID?

    /// A disk or CD-ROM drive.
    public struct Disk: Codable, Hashable, Sendable {
        /// The name in the guest's bus order: `vda`, `sda`.
        public var target: String
        /// `disk`, `cdrom`, `lun`, `floppy`.
        public var device: String
        /// `virtio`, `scsi`, `sata`, …
        public var bus: String?
        /// The file or block device on the host.
        public var path: String?
        /// `qcow2`, `raw`, …
        public var format: String?
        /// What the guest sees as the disk's serial number.
        public var serial: String?
        /// The guest's size in bytes, where known.
        public var sizeBytes: Int64?
        public var readOnly: Bool
        /// `root`, `data`, `seed`, `cdrom`.
        public var role: String?
        public init(
            target: String, device: String, bus: String? = nil, path: String? = nil, format: String? = nil,
            serial: String? = nil, sizeBytes: Int64? = nil, readOnly: Bool = false, role: String? = nil
        ) {
            self.target = target
            self.device = device
            self.bus = bus
            self.path = path
            self.format = format
            self.serial = serial
            self.sizeBytes = sizeBytes
            self.readOnly = readOnly
            self.role = role
        }
    }

    /// A network interface.
    public struct NIC: Codable, Hashable, Sendable {
        /// Lower-case, with colons.
        public var mac: String
        /// The libvirt network.
        public var network: String?
        /// The host bridge.
        public var bridge: String?
        /// `virtio`, `e1000e`, …
        public var model: String?
        /// The name of the TAP on the host.
        public var tap: String?
        public var addresses: [Address]
        /// Whether its cable is in.
        public var link: Bool?
        /// The tag of its VLAN; the guest itself sees none.
        public var vlan: Int?
        /// Its largest packet in bytes, where it is another than the network's.
        public var mtu: Int?
        /// How many queues it has, where that was said.
        public var queues: Int?
        /// Whether it reaches no other NIC of its bridge that is isolated, too.
        public var isolated: Bool?
        /// Its place in the boot order, from 1.
        public var boot: Int?
        /// How much the guest may receive.
        public var inbound: RateLimit?
        /// How much the guest may send.
        public var outbound: RateLimit?
        /// Whether it may send only as itself.
        public var antiSpoofing: Bool?
        /// Addresses that were said to be its own.
        public var ip: [String]?
        /// The security groups that say what may come in.
        public var securityGroups: [String]?
        public init(
            mac: String, network: String? = nil, bridge: String? = nil, model: String? = nil,
            tap: String? = nil,
            addresses: [Address] = []
        ) {
            self.mac = mac
            self.network = network
            self.bridge = bridge
            self.model = model
            self.tap = tap
            self.addresses = addresses
        }
    }

    /// A screen, and where a viewer finds it.
    public struct Graphics: Codable, Hashable, Sendable {
        /// `vnc`, `spice`, …
        public var type: String
        /// The Unix socket on the host, while it runs.
        public var socket: String?
        /// Where it listens instead.
        public var address: String?
        public var port: Int?
        public init(type: String, socket: String? = nil, address: String? = nil, port: Int? = nil) {
            self.type = type
            self.socket = socket
            self.address = address
            self.port = port
        }
    }

    /// An address, and who says so.
    public struct Address: Codable, Hashable, Sendable {
        /// IPv4 or IPv6, without prefix length.
        public var address: String
        public var prefix: Int?
        public var source: AddressSource
        public init(address: String, prefix: Int? = nil, source: AddressSource) {
            self.address = address
            self.prefix = prefix
            self.source = source
        }
    }

    public init(
        id: ObjectID, name: String, state: VMState, stateReason: StateReason? = nil, cpus: Int,
        memoryBytes: Int64,
        disks: [Disk] = [], nics: [NIC] = [], labels: [String: String] = [:], managed: Bool,
        autostart: Bool = false, protected: Bool = false, createdAt: Timestamp? = nil, observedAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.stateReason = stateReason
        self.cpus = cpus
        self.memoryBytes = memoryBytes
        self.disks = disks
        self.nics = nics
        self.labels = labels
        self.managed = managed
        self.autostart = autostart
        self.protected = protected
        self.createdAt = createdAt
        self.observedAt = observedAt
    }
}

/// Where an address is known from.
public enum AddressSource: String, APIEnum {
    case lease, agent, arp
}

/// An image, as those who use it name it.
public struct ImageReference: Codable, Hashable, Sendable {
    public var id: ObjectID
    /// Its name; of one that is gone, the name that it had when the VM was made.
    public var name: String
    /// Whether the disk still reads from the image.
    public var linked: Bool
    public init(id: ObjectID, name: String, linked: Bool) {
        self.id = id
        self.name = name
        self.linked = linked
    }
}
