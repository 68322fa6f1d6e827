// SPDX-License-Identifier: Apache-2.0

/// A `<domainCapabilities>` document: what one kind of domain can have.
public struct DomainCapabilitiesXML: DocumentView {
    /// The document with all it says.
    public var document: Document
    /// The root of a new one.
    public static let elementName = "domainCapabilities"
    /// The properties.
    public static let fields = DomainCapabilitiesFields()
    /// A view of a document, whatever its root is.
    public init(document: Document) { self.document = document }
}

/// The properties of `DomainCapabilitiesXML`.
public final class DomainCapabilitiesFields: Sendable {
    /// The program that runs it.
    public let path = Field<String>("path")
    /// `kvm`, `qemu`.
    public let domainType = Field<String>("domain")
    /// The versioned machine type.
    public let machine = Field<String>("machine")
    /// The architecture.
    public let arch = Field<String>("arch")
    /// The most vCPUs.
    public let vcpusMaximum = Field<Int>("vcpu/@max")
    /// Whether there are I/O threads.
    public let ioThreadsSupported = Field<Bool>("iothreads/@supported")
    /// Whether firmware can be chosen.
    public let osSupported = Field<Bool>("os/@supported")
    /// `firmware` and its values.
    public let osEnums = ListField<CapabilityEnumXML>("os/enum")
    /// Whether a loader can be named.
    public let loaderSupported = Field<Bool>("os/loader/@supported")
    /// Firmware images.
    public let loaders = ListField<String>(values: "os/loader/value")
    /// `type`, `readonly`, `secure` and their values.
    public let loaderEnums = ListField<CapabilityEnumXML>("os/loader/enum")
    /// CPU modes.
    public let cpuModes = ListField<CpuModeXML>("cpu/mode")
    /// `sourceType` and its values.
    public let memoryBackingEnums = ListField<CapabilityEnumXML>("memoryBacking/enum")
    /// `diskDevice`, `bus`, `model` and their values.
    public let diskEnums = ListField<CapabilityEnumXML>("devices/disk/enum")
    /// `type` and its values.
    public let graphicsEnums = ListField<CapabilityEnumXML>("devices/graphics/enum")
    /// `modelType` and its values.
    public let videoEnums = ListField<CapabilityEnumXML>("devices/video/enum")
    /// `mode`, `subsysType` and their values.
    public let hostdevEnums = ListField<CapabilityEnumXML>("devices/hostdev/enum")
    /// `model`, `backendModel` and their values.
    public let rngEnums = ListField<CapabilityEnumXML>("devices/rng/enum")
    /// `driverType` and its values.
    public let filesystemEnums = ListField<CapabilityEnumXML>("devices/filesystem/enum")
    /// `model`, `backendModel`, `backendVersion` and their values.
    public let tpmEnums = ListField<CapabilityEnumXML>("devices/tpm/enum")
    /// Whether there are TPMs.
    public let tpmSupported = Field<Bool>("devices/tpm/@supported")
}

extension DomainCapabilitiesXML {
    /// The firmwares that libvirt can choose itself: `efi`, `bios`.
    public var firmwares: [String] { values("firmware", self.osEnums) }
    /// Buses for disks.
    public var diskBuses: [String] { values("bus", self.diskEnums) }
    /// Kinds of disks.
    public var diskDevices: [String] { values("diskDevice", self.diskEnums) }
    /// Whether Secure Boot images can be had.
    public var secureBoot: Bool { values("secure", self.loaderEnums).contains("yes") }
    /// Kinds of remote displays: `vnc`, `spice`.
    public var graphicsTypes: [String] { values("type", self.graphicsEnums) }
    /// Backends of TPMs.
    public var tpmBackends: [String] { values("backendModel", self.tpmEnums) }
    /// The CPU mode of this name, if it is there and supported.
    public func cpuMode(_ name: String) -> CpuModeXML? {
        self.cpuModes.first { $0.name == name && $0.supported == true }
    }

    private func values(_ name: String, _ enums: [CapabilityEnumXML]) -> [String] {
        enums.first { $0.name == name }?.values ?? []
    }
}

/// An `<enum>` of capabilities: the values that something can have.
public struct CapabilityEnumXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "enum"
    /// The properties.
    public static let fields = CapabilityEnumFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `CapabilityEnumXML`.
public final class CapabilityEnumFields: Sendable {
    /// The name.
    public let name = Field<String>("@name")
    /// The values.
    public let values = ListField<String>(values: "value")
}

/// A CPU `<mode>` of the domain capabilities.
public struct CpuModeXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "mode"
    /// The properties.
    public static let fields = CpuModeFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `CpuModeXML`.
public final class CpuModeFields: Sendable {
    /// `host-passthrough`, `maximum`, `host-model`, `custom`.
    public let name = Field<String>("@name")
    /// Whether it can be had.
    public let supported = Field<Bool>("@supported")
    /// With `host-model`: the model nearest to the host's CPU.
    public let hostModel = Field<NamedModelXML>(view: "model")
    /// With `custom`: the named models.
    public let models = ListField<NamedModelXML>("model")
    /// The vendor, with `host-model`.
    public let vendor = Field<String>("vendor")
}

/// A CPU `<model>` of the domain capabilities.
public struct NamedModelXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "model"
    /// The properties.
    public static let fields = NamedModelFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `NamedModelXML`.
public final class NamedModelFields: Sendable {
    /// The name.
    public let name = Field<String>("")
    /// Whether this host can run it.
    public let usable = Field<Bool>("@usable")
    /// `allow`, `forbid`.
    public let fallback = Field<String>("@fallback")
}
