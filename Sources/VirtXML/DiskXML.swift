// SPDX-License-Identifier: Apache-2.0

/// A `<disk>` of a domain. Sizes are bytes.
public struct DiskXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "disk"
    /// The properties.
    public static let fields = DiskFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `DiskXML`.
public final class DiskFields: Sendable {
    /// `file`, `block`, `dir`, `network`, `volume`, `nvme`, `vhostuser`.
    public let type = Field<String>("@type")
    /// `disk`, `cdrom`, `floppy`, `lun`; libvirt assumes `disk`.
    public let device = Field<String>("@device")
    /// `no`, `internal`, `external`.
    public let snapshot = Field<String>("@snapshot")

    /// The driver: `qemu`.
    public let driverName = Field<String>("driver/@name")
    /// The format: `qcow2`, `raw`.
    public let driverType = Field<String>("driver/@type")
    /// `none`, `writeback`, `writethrough`, `directsync`, `unsafe`.
    public let cache = Field<String>("driver/@cache")
    /// `native`, `threads`, `io_uring`.
    public let io = Field<String>("driver/@io")
    /// `unmap`, `ignore`.
    public let discard = Field<String>("driver/@discard")
    /// `off`, `on`, `unmap`.
    public let detectZeroes = Field<String>("driver/@detect_zeroes")
    /// `stop`, `report`, `ignore`, `enospace`.
    public let errorPolicy = Field<String>("driver/@error_policy")
    /// The I/O thread's number.
    public let ioThread = Field<Int>("driver/@iothread")
    /// The number of queues.
    public let queues = Field<Int>("driver/@queues")

    /// The file, with type `file`.
    public let sourceFile = Field<String>("source/@file")
    /// The block device, with type `block`.
    public let sourceDev = Field<String>("source/@dev")
    /// The directory, with type `dir`.
    public let sourceDir = Field<String>("source/@dir")
    /// The protocol, with type `network`: `rbd`, `iscsi`, `nbd`, `http`.
    public let sourceProtocol = Field<String>("source/@protocol")
    /// The remote name, with type `network`.
    public let sourceName = Field<String>("source/@name")
    /// The pool, with type `volume`.
    public let sourcePool = Field<String>("source/@pool")
    /// The volume, with type `volume`.
    public let sourceVolume = Field<String>("source/@volume")
    /// `mandatory`, `requisite`, `optional`.
    public let startupPolicy = Field<String>("source/@startupPolicy")
    /// The servers, with type `network`.
    public let sourceHosts = ListField<SourceHostXML>("source/host")
    /// Whatever names the source: file, device, directory or remote name.
    public let sourcePath = Field<String>(
        get: { disk in
            disk[child: "source"].flatMap { source in
                ["file", "dev", "dir", "name"].lazy.compactMap { source[attribute: $0] }.first
            }
        },
        set: { disk, path in
            let name = ["block": "dev", "dir": "dir", "network": "name"][disk[attribute: "type"] ?? "file"]
            LeafPath("source/@\(name ?? "file")").set(path, in: &disk)
        })
    /// The image under this one.
    public let backingStore = Field<BackingStoreXML>(view: "backingStore")

    /// The name in the guest: `vda`.
    public let targetDev = Field<String>("target/@dev")
    /// `virtio`, `scsi`, `sata`, `ide`, `usb`, `fdc`.
    public let targetBus = Field<String>("target/@bus")
    /// `open`, `closed`.
    public let tray = Field<String>("target/@tray")
    /// `0`..`65535` for the guest: rotations a minute; 1 is an SSD.
    public let rotationRate = Field<Int>("target/@rotation_rate")
    /// The serial number that the guest sees.
    public let serial = Field<String>("serial")
    /// The World Wide Name that the guest sees.
    public let wwn = Field<String>("wwn")
    /// Whether the guest must not write.
    public let readonly = Flag("readonly")
    /// Whether several guests may share it.
    public let shareable = Flag("shareable")
    /// Whether what is written goes when the guest stops.
    public let transient = Flag("transient")
    /// The place in the boot order, from 1.
    public let bootOrder = Field<Int>("boot/@order")
    /// libvirt's name of the device; ours begin with `ua-`.
    public let alias = Field<String>("alias/@name")

    /// Bytes a second, reads and writes together.
    public let totalBytesPerSecond = Field<UInt64>("iotune/total_bytes_sec")
    /// Bytes read a second.
    public let readBytesPerSecond = Field<UInt64>("iotune/read_bytes_sec")
    /// Bytes written a second.
    public let writeBytesPerSecond = Field<UInt64>("iotune/write_bytes_sec")
    /// Operations a second, reads and writes together.
    public let totalIopsPerSecond = Field<UInt64>("iotune/total_iops_sec")
    /// Reads a second.
    public let readIopsPerSecond = Field<UInt64>("iotune/read_iops_sec")
    /// Writes a second.
    public let writeIopsPerSecond = Field<UInt64>("iotune/write_iops_sec")
    /// Disks with the same name share their limits.
    public let iotuneGroup = Field<String>("iotune/group_name")
}

/// A `<host>` of a network source.
public struct SourceHostXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "host"
    /// The properties.
    public static let fields = SourceHostFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
}

/// The properties of `SourceHostXML`.
public final class SourceHostFields: Sendable {
    /// Name or address.
    public let name = Field<String>("@name")
    /// The port.
    public let port = Field<Int>("@port")
    /// `tcp`, `unix`, `rdma`.
    public let transport = Field<String>("@transport")
    /// The path, with transport `unix`.
    public let socket = Field<String>("@socket")
}

/// A `<backingStore>`: one more image of a chain. An empty one ends the chain.
public struct BackingStoreXML: XMLView {
    /// The element with all it says.
    public var element: Element
    /// The name of a new one.
    public static let elementName = "backingStore"
    /// The properties.
    public static let fields = BackingStoreFields()
    /// A view of an element.
    public init(element: Element) { self.element = element }
    /// Whether it only says that the chain ends here.
    public var isEnd: Bool { element.isBare }
}

/// The properties of `BackingStoreXML`.
public final class BackingStoreFields: Sendable {
    /// `file`, `block`, `network`.
    public let type = Field<String>("@type")
    /// libvirt's number of the image in a running domain.
    public let index = Field<Int>("@index")
    /// `qcow2`, `raw`.
    public let format = Field<String>("format/@type")
    /// The file.
    public let sourceFile = Field<String>("source/@file")
    /// The block device.
    public let sourceDev = Field<String>("source/@dev")
    /// The remote name.
    public let sourceName = Field<String>("source/@name")
    /// The next image.
    public let backingStore = Field<BackingStoreXML>(view: "backingStore")
}

extension DiskXML {
    /// The images under the disk's own, the nearest first.
    public var chain: [BackingStoreXML] {
        var images: [BackingStoreXML] = []
        var next = self.backingStore
        while let image = next, !image.isEnd {
            images.append(image)
            next = image.backingStore
        }
        return images
    }
}
