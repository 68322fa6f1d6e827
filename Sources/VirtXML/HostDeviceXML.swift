// SPDX-License-Identifier: Apache-2.0

/// A `<hostdev>` of a domain: a device of the host.
public struct HostdevXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "hostdev"
    /// The properties.
    public static let fields = HostdevFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `HostdevXML`.
public final class HostdevFields: Sendable {
    /// `subsystem`, `capabilities`.
    public let mode = Field<String>("@mode")
    /// `pci`, `usb`, `scsi`, `mdev`.
    public let type = Field<String>("@type")
    /// Whether libvirt detaches it from the host itself.
    public let managed = Field<Bool>("@managed")
    /// PCI domain, as `0x0000`.
    public let pciDomain = Field<String>("source/address/@domain")
    /// PCI or USB bus, as `0x06`.
    public let pciBus = Field<String>("source/address/@bus")
    /// PCI slot, as `0x02`.
    public let pciSlot = Field<String>("source/address/@slot")
    /// PCI function, as `0x0`.
    public let pciFunction = Field<String>("source/address/@function")
    /// USB vendor, as `0x1234`.
    public let usbVendor = Field<String>("source/vendor/@id")
    /// USB product, as `0xbeef`.
    public let usbProduct = Field<String>("source/product/@id")
    /// libvirt's name of the device; ours begin with `ua-`.
    public let alias = Field<String>("alias/@name")
}

/// A `<filesystem>` of a domain: a directory of the host.
public struct FilesystemXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "filesystem"
    /// The properties.
    public static let fields = FilesystemFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `FilesystemXML`.
public final class FilesystemFields: Sendable {
    /// `mount`, `template`, `file`, `block`, `ram`, `bind`.
    public let type = Field<String>("@type")
    /// `passthrough`, `mapped`, `squash`.
    public let accessMode = Field<String>("@accessmode")
    /// `virtiofs`, `path`.
    public let driverType = Field<String>("driver/@type")
    /// The host's directory.
    public let sourceDir = Field<String>("source/@dir")
    /// The guest's directory or tag.
    public let targetDir = Field<String>("target/@dir")
    /// Whether the guest must not write.
    public let readonly = Flag("readonly")
}

/// A `<memory>` device of a domain. Sizes are bytes.
public struct MemoryDeviceXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "memory"
    /// The properties.
    public static let fields = MemoryDeviceFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `MemoryDeviceXML`.
public final class MemoryDeviceFields: Sendable {
    /// The file that is the memory, of an NVDIMM.
    public let sourcePath = Field<String>("source/path")
    /// `dimm`, `nvdimm`, `virtio-mem`, `virtio-pmem`.
    public let model = Field<String>("@model")
    /// The size.
    public let sizeBytes = Field<UInt64>(size: "target/size", unit: "KiB")
    /// The guest's NUMA node.
    public let node = Field<Int>("target/node")
    /// What `virtio-mem` grows by.
    public let blockBytes = Field<UInt64>(size: "target/block", unit: "KiB")
    /// What `virtio-mem` should give the guest.
    public let requestedBytes = Field<UInt64>(size: "target/requested", unit: "KiB")
    /// What `virtio-mem` gives the guest.
    public let currentBytes = Field<UInt64>(size: "target/current", unit: "KiB")
    /// libvirt's name of the device; ours begin with `ua-`.
    public let alias = Field<String>("alias/@name")
}
