// SPDX-License-Identifier: Apache-2.0

/// A `<serial>`, `<console>`, `<channel>` or `<parallel>` of a domain.
public struct CharacterDeviceXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "serial"
    /// The properties.
    public static let fields = CharacterDeviceFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `CharacterDeviceXML`.
public final class CharacterDeviceFields: Sendable {
    /// `pty`, `unix`, `file`, `tcp`, `spicevmc`, `null`.
    public let type = Field<String>("@type")
    /// The pseudo terminal of a running console.
    public let tty = Field<String>("@tty")
    /// The file, socket or pseudo terminal.
    public let sourcePath = Field<String>("source/@path")
    /// `bind`: we listen, `connect`: we call.
    public let sourceMode = Field<String>("source/@mode")
    /// The address, with type `tcp`.
    public let sourceHost = Field<String>("source/@host")
    /// The port, with type `tcp`.
    public let sourceService = Field<String>("source/@service")
    /// `raw`, `telnet`.
    public let protocolType = Field<String>("protocol/@type")
    /// The file that keeps what is said.
    public let logFile = Field<String>("log/@file")
    /// Whether that file is kept at each start.
    public let logAppend = Field<Bool>(onOff: "log/@append")
    /// `isa-serial`, `serial`, `virtio`.
    public let targetType = Field<String>("target/@type")
    /// `isa-serial`, `pl011`.
    public let targetModel = Field<String>("target/model/@name")
    /// The port in the guest, from 0.
    public let targetPort = Field<Int>("target/@port")
    /// The channel's name in the guest: `org.qemu.guest_agent.0`.
    public let targetName = Field<String>("target/@name")
    /// `connected`, `disconnected`; only while it runs.
    public let targetState = Field<String>("target/@state")
    /// libvirt's name of the device; ours begin with `ua-`.
    public let alias = Field<String>("alias/@name")
}
