// SPDX-License-Identifier: Apache-2.0

/// A `<controller>` of a domain.
public struct ControllerXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "controller"
    /// The properties.
    public static let fields = ControllerFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `ControllerXML`.
public final class ControllerFields: Sendable {
    /// `pci`, `scsi`, `usb`, `sata`, `ide`, `virtio-serial`.
    public let type = Field<String>("@type")
    /// The number among its type.
    public let index = Field<Int>("@index")
    /// `pcie-root-port`, `virtio-scsi`, `qemu-xhci`.
    public let model = Field<String>("@model")
    /// The number of ports.
    public let ports = Field<Int>("@ports")
    /// The PCI device behind the model.
    public let modelName = Field<String>("model/@name")
    /// A root port's chassis.
    public let targetChassis = Field<Int>("target/@chassis")
    /// A root port's port, as `0x10`.
    public let targetPort = Field<String>("target/@port")
    /// The number of queues.
    public let queues = Field<Int>("driver/@queues")
    /// The I/O thread's number.
    public let ioThread = Field<Int>("driver/@iothread")
    /// libvirt's name of the device; ours begin with `ua-`.
    public let alias = Field<String>("alias/@name")
}

/// A `<graphics>` of a domain.
public struct GraphicsXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "graphics"
    /// The properties.
    public static let fields = GraphicsFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `GraphicsXML`.
public final class GraphicsFields: Sendable {
    /// `vnc`, `spice`, `egl-headless`.
    public let type = Field<String>("@type")
    /// The TCP port; -1: libvirt chooses.
    public let port = Field<Int>("@port")
    /// The TCP port with TLS.
    public let tlsPort = Field<Int>("@tlsPort")
    /// Whether libvirt chooses the port.
    public let autoport = Field<Bool>("@autoport")
    /// The address, as libvirt repeats it.
    public let listen = Field<String>("@listen")
    /// `address`, `network`, `socket`, `none`.
    public let listenType = Field<String>("listen/@type")
    /// The address.
    public let listenAddress = Field<String>("listen/@address")
    /// The Unix socket.
    public let listenSocket = Field<String>("listen/@socket")
    /// The password; only in secure dumps.
    public let password = Field<String>("@passwd")
}

/// A `<video>` of a domain.
public struct VideoXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "video"
    /// The properties.
    public static let fields = VideoFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `VideoXML`.
public final class VideoFields: Sendable {
    /// `virtio`, `vga`, `qxl`, `none`.
    public let model = Field<String>("model/@type")
    /// The number of screens.
    public let heads = Field<Int>("model/@heads")
    /// Whether it is the first card.
    public let primary = Field<Bool>("model/@primary")
    /// Video memory in KiB.
    public let vram = Field<Int>("model/@vram")
}

/// An `<input>` of a domain.
public struct InputXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "input"
    /// The properties.
    public static let fields = InputFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `InputXML`.
public final class InputFields: Sendable {
    /// `mouse`, `keyboard`, `tablet`.
    public let type = Field<String>("@type")
    /// `usb`, `virtio`, `ps2`.
    public let bus = Field<String>("@bus")
}

/// An `<rng>` of a domain.
public struct RngXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "rng"
    /// The properties.
    public static let fields = RngFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `RngXML`.
public final class RngFields: Sendable {
    /// `virtio`.
    public let model = Field<String>("@model")
    /// `random`, `builtin`, `egd`.
    public let backendModel = Field<String>("backend/@model")
    /// The source in the host: `/dev/urandom`.
    public let backendPath = Field<String>("backend")
    /// Bytes in a period.
    public let rateBytes = Field<Int>("rate/@bytes")
    /// The period in milliseconds.
    public let ratePeriod = Field<Int>("rate/@period")
}

/// A `<tpm>` of a domain.
public struct TpmXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "tpm"
    /// The properties.
    public static let fields = TpmFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `TpmXML`.
public final class TpmFields: Sendable {
    /// `tpm-crb`, `tpm-tis`.
    public let model = Field<String>("@model")
    /// `emulator`, `passthrough`.
    public let backendType = Field<String>("backend/@type")
    /// `2.0`, `1.2`.
    public let version = Field<String>("backend/@version")
    /// Whether its state outlives a transient domain.
    public let persistentState = Field<Bool>("backend/@persistent_state")
    /// The host's device, with `passthrough`.
    public let devicePath = Field<String>("backend/device/@path")
}

/// The `<memballoon>` of a domain.
public struct MemballoonXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "memballoon"
    /// The properties.
    public static let fields = MemballoonFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `MemballoonXML`.
public final class MemballoonFields: Sendable {
    /// `virtio`, `none`.
    public let model = Field<String>("@model")
    /// Whether it gives back memory when the guest has none left.
    public let autodeflate = Field<Bool>(onOff: "@autodeflate")
    /// Whether the guest reports free pages.
    public let freePageReporting = Field<Bool>(onOff: "@freePageReporting")
    /// Seconds between statistics.
    public let statsPeriod = Field<Int>("stats/@period")
}

/// A `<timer>` of a domain's clock.
public struct TimerXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "timer"
    /// The properties.
    public static let fields = TimerFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `TimerXML`.
public final class TimerFields: Sendable {
    /// `rtc`, `pit`, `hpet`, `kvmclock`.
    public let name = Field<String>("@name")
    /// Whether the guest has it.
    public let present = Field<Bool>("@present")
    /// `delay`, `catchup`, `merge`, `discard`.
    public let tickpolicy = Field<String>("@tickpolicy")
}
