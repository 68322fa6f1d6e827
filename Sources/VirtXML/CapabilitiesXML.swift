// SPDX-License-Identifier: Apache-2.0

/// A `<capabilities>` document: what the host can do.
public struct CapabilitiesXML: DocumentView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "capabilities"
    /// The properties.
    public static let fields = CapabilitiesFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `CapabilitiesXML`.
public final class CapabilitiesFields: Sendable {
    /// The host's UUID.
    public let hostUUID = Field<String>("host/uuid")
    /// The host's architecture.
    public let hostArch = Field<String>("host/cpu/arch")
    /// The host's CPU model.
    public let hostCpuModel = Field<String>("host/cpu/model")
    /// The host's CPU vendor.
    public let hostCpuVendor = Field<String>("host/cpu/vendor")
    /// Sockets of a NUMA node.
    public let hostSockets = Field<Int>("host/cpu/topology/@sockets")
    /// Cores of a die.
    public let hostCores = Field<Int>("host/cpu/topology/@cores")
    /// Threads of a core.
    public let hostThreads = Field<Int>("host/cpu/topology/@threads")
    /// NUMA nodes.
    public let cells = ListField<NumaCellXML>("host/topology/cells/cell")
    /// What keeps guests apart: `dac`, `apparmor`, `selinux`, `none`.
    public let securityModels = ListField<SecurityModelXML>("host/secmodel")
    /// What can be run.
    public let guests = ListField<GuestCapabilityXML>("guest")
}

/// A `<cell>`: a NUMA node of the host. Sizes are bytes.
public struct NumaCellXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "cell"
    /// The properties.
    public static let fields = NumaCellFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `NumaCellXML`.
public final class NumaCellFields: Sendable {
    /// The number.
    public let id = Field<Int>("@id")
    /// Its memory.
    public let memoryBytes = Field<UInt64>(size: "memory", unit: "KiB")
    /// Its CPUs.
    public let cpuCount = Field<Int>("cpus/@num")
}

/// A `<secmodel>`: a way of keeping guests apart that libvirt uses.
public struct SecurityModelXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "secmodel"
    /// The properties.
    public static let fields = SecurityModelFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `SecurityModelXML`.
public final class SecurityModelFields: Sendable {
    /// `dac`, `apparmor`, `selinux`, `none`.
    public let model = Field<String>("model")
    /// What guests without a label of their own get, for each kind of guest.
    public let baseLabels = ListField<BaseLabelXML>("baselabel")
}

/// A `<baselabel>` of a security model.
public struct BaseLabelXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "baselabel"
    /// The properties.
    public static let fields = BaseLabelFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `BaseLabelXML`.
public final class BaseLabelFields: Sendable {
    /// The kind of guest: `kvm`, `qemu`.
    public let type = Field<String>("@type")
    /// The label; with `dac`, user and group: `+64055:+107`.
    public let label = Field<String>("")
}

/// A `<guest>` of the capabilities: an architecture that can be run.
public struct GuestCapabilityXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "guest"
    /// The properties.
    public static let fields = GuestCapabilityFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `GuestCapabilityXML`.
public final class GuestCapabilityFields: Sendable {
    /// `hvm`, `exe`.
    public let osType = Field<String>("os_type")
    /// `x86_64`, `aarch64`.
    public let arch = Field<String>("arch/@name")
    /// Bits of a word.
    public let wordsize = Field<Int>("arch/wordsize")
    /// The program, unless the domain type says another.
    public let emulator = Field<String>("arch/emulator")
    /// Machine types.
    public let machines = ListField<MachineXML>("arch/machine")
    /// Domain types: how it can be run.
    public let domains = ListField<DomainTypeXML>("arch/domain")
}

/// A `<machine>` type.
public struct MachineXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "machine"
    /// The properties.
    public static let fields = MachineFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `MachineXML`.
public final class MachineFields: Sendable {
    /// The name.
    public let name = Field<String>("")
    /// The versioned name that this one stands for.
    public let canonical = Field<String>("@canonical")
    /// The most vCPUs.
    public let maxCpus = Field<Int>("@maxCpus")
}

/// A `<domain>` type of the capabilities.
public struct DomainTypeXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "domain"
    /// The properties.
    public static let fields = DomainTypeFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `DomainTypeXML`.
public final class DomainTypeFields: Sendable {
    /// `kvm`, `qemu`, `lxc`, `test`.
    public let type = Field<String>("@type")
    /// The program for this type.
    public let emulator = Field<String>("emulator")
    /// Machine types of this type.
    public let machines = ListField<MachineXML>("machine")
}
