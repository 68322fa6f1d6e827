// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

extension DomainPlan {
    /// How many devices can be plugged in while it runs.
    static let sparePorts = 8

    func devices(_ domain: inout DomainXML) {
        domain.disks = disks.map(\.xml)
        if flavor == .qemu { domain.controllers = controllers }
        domain.interfaces = nics.map(\.xml)
        console(&domain)
        guard flavor == .qemu else { return }
        domain.channels = [agent]
        if screen { display(&domain) }
        domain.rngs = [random]
        if tpm == true { domain.tpms = [Hardware.tpm] }
        domain.memballoon = balloon
        if onCrash != nil { Hardware.addPanicDevice(to: &domain) }
    }

    private var isPCIExpress: Bool { machine.contains("q35") }

    private var controllers: [ControllerXML] {
        var list = [
            Self.controller("scsi", index: 0, model: "virtio-scsi"),
            Self.controller("virtio-serial", index: 0),
            Self.controller("usb", index: 0, model: "qemu-xhci"),
        ]
        guard isPCIExpress else { return list }
        list.append(Self.controller("pci", index: 0, model: "pcie-root"))
        list += (1...rootPorts).map { Self.controller("pci", index: $0, model: "pcie-root-port") }
        return list
    }

    /// libvirt fills existing ports before it adds new ones: spare are only those beyond the devices' own.
    private var rootPorts: Int {
        let builtIn = 5  // virtio-scsi, virtio-serial, xhci, rng, balloon
        return builtIn + disks.count { $0.bus == .virtio } + nics.count + Self.sparePorts
    }

    private static func controller(_ type: String, index: Int, model: String? = nil) -> ControllerXML {
        var controller = ControllerXML()
        controller.type = type
        controller.index = index
        controller.model = model
        return controller
    }

    private func console(_ domain: inout DomainXML) {
        var serial = CharacterDeviceXML()
        serial.type = "pty"
        if let consoleLog, flavor == .qemu {
            serial.logFile = consoleLog
            serial.logAppend = true
        }
        if flavor == .qemu { serial.targetType = "isa-serial" }
        serial.targetPort = 0
        domain.serials = [serial]
        var console = CharacterDeviceXML()
        console.type = "pty"
        console.targetType = "serial"
        console.targetPort = 0
        domain.consoles = [console]
    }

    private var agent: CharacterDeviceXML {
        var channel = CharacterDeviceXML()
        channel.type = "unix"
        channel.targetType = "virtio"
        channel.targetName = "org.qemu.guest_agent.0"
        return channel
    }

    /// As with virt-install there is a screen, because firmware, boot loaders and installers talk to one and
    /// only some to a serial line; but on a Unix socket, so that a headless host opens no port.
    private func display(_ domain: inout DomainXML) {
        Hardware.setGraphics(graphics ?? .vnc, of: &domain)
    }

    private var random: RngXML {
        var rng = RngXML()
        rng.model = "virtio"
        rng.backendModel = "random"
        rng.backendPath = "/dev/urandom"
        return rng
    }

    /// Free pages go back to the host, and come again when the guest would otherwise run out of memory.
    private var balloon: MemballoonXML {
        var balloon = MemballoonXML()
        balloon.model = "virtio"
        balloon.autodeflate = true
        balloon.freePageReporting = true
        balloon.statsPeriod = 10
        return balloon
    }
}

extension DomainPlan.Disk {
    /// The `<disk>` of a definition, or of a live attachment.
    var xml: DiskXML {
        var disk = DiskXML()
        disk.type = source.rawValue
        disk.device = device.rawValue
        disk.driverName = "qemu"
        disk.driverType = format.rawValue
        if device == .disk, !readOnly {
            disk.discard = "unmap"
            // Zeroes that a guest writes need no room; on a block device that would cost a command each.
            if source == .file, !preallocated { disk.detectZeroes = "unmap" }
        }
        if let path { disk.sourcePath = path }
        disk.targetDev = target
        disk.targetBus = bus.rawValue
        disk.serial = serial
        disk.readonly = readOnly
        disk.bootOrder = bootOrder
        return disk
    }
}

extension DomainPlan.NIC {
    /// The `<interface>` of a definition, or of a live attachment.
    var xml: InterfaceXML {
        var nic = InterfaceXML()
        nic.type = network == nil ? "bridge" : "network"
        nic.mac = mac
        nic.sourceNetwork = network
        if network == nil { nic.sourceBridge = bridge }
        nic.targetDev = tap
        nic.model = model
        setting?.apply(to: &nic)
        nic.bootOrder = bootOrder
        return nic
    }
}
