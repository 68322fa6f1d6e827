// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

extension ClonePlan {
    /// The clone's definition, made from the other one's saved definition: what nobody else may have is its
    /// own, all else is as it was there.
    /// - Throws: ``Problem`` `vm.busy` when the other one has got or lost a disk or NIC since, or has another
    ///   firmware; `vm.state` when it writes to something that is not copied.
    func definition(from source: DomainXML) throws -> DomainXML {
        try refuseSharedMemory(source)
        try refuseOtherFirmware(source)
        var domain = source
        identify(&domain)
        try copyDisks(&domain)
        try copyNICs(&domain)
        separateVariables(&domain)
        separateDevices(&domain)
        return domain
    }

    private func identify(_ domain: inout DomainXML) {
        let old = domain.uuid
        domain.name = name
        domain.uuid = id.rawValue
        domain.description = description
        mark.write(into: &domain)
        // libvirt refuses a serial number in SMBIOS that is another UUID than the domain's.
        domain.element.edit("sysinfo/system/entry") { entry in
            if entry[attribute: "name"] == "uuid", entry.text == old { entry.text = id.rawValue }
        }
        if domain.element[child: "genid"] != nil {
            domain.element[child: "genid"] = Element("genid")
        }
    }

    private func copyDisks(_ domain: inout DomainXML) throws {
        for copy in disks {
            guard let index = domain.disks.firstIndex(where: { $0.targetDev == copy.target }) else {
                throw changed("disk \(copy.target) is gone")
            }
            put(copy, into: &domain.disks[index])
        }
        if let seed, let index = domain.disks.firstIndex(where: { $0.targetDev == seed.target }) {
            domain.disks[index].sourcePath = seed.path
        }
        let known = Set(disks.map(\.target))
        if let new = domain.disks.first(where: { Self.isOwn($0) && !known.contains($0.targetDev ?? "") }) {
            throw changed("disk \(shown(new.targetDev ?? "?")) is new")
        }
    }

    private func put(_ copy: Disk, into disk: inout DiskXML) {
        disk.element.remove("source")
        disk.element.remove("backingStore")
        disk.type = "file"
        disk.sourcePath = copy.volume.path
        disk.driverType = copy.volume.format.rawValue
        disk.serial = copy.serial
        disk.wwn = nil
    }

    /// Whether a clone needs a copy of it: it can be written, and by one guest only. Some of these cannot be
    /// copied, and then there is no clone.
    static func isOwn(_ disk: DiskXML) -> Bool {
        !["cdrom", "floppy"].contains(disk.device ?? "disk") && !disk.readonly && !disk.shareable
            && disk.element[child: "source"] != nil
    }

    /// Persistent memory is a disk by another name.
    private func refuseSharedMemory(_ domain: DomainXML) throws {
        let shared = domain.element.all("devices/memory").first {
            $0.first("source/path") != nil && $0.first("target/readonly") == nil
        }
        guard let path = shared?.first("source/path")?.text else { return }
        throw Problem(
            .vmState,
            "VM \(shown(source.name)) has memory in \(shown(path)) on the host, into which a clone would"
                + " write, too",
            hint: "vctl vm xml \(shown(source.name))")
    }

    // MARK: Firmware

    private func refuseOtherFirmware(_ domain: DomainXML) throws {
        guard (variables == nil) == (domain.firmware == .bios) else { throw changed("its firmware") }
        if let nvram, nvram.from != FirmwareVariables.path(domain) { throw changed("its firmware") }
        let type = domain.element.first("os/nvram")?[attribute: "type"] ?? "file"
        guard type == "file" else {
            throw Problem(
                .vmState,
                "the variables of the firmware of VM \(shown(source.name)) are of type \(shown(type)); files"
                    + " can be copied",
                hint: "vctl vm xml \(shown(source.name))")
        }
    }

    /// None of the other one's stays, in whichever of its two spellings, and not where a BIOS has no use for
    /// them either.
    private func separateVariables(_ domain: inout DomainXML) {
        guard let variables else {
            domain.element.remove("os/nvram")
            return
        }
        domain.element.edit("os/nvram") { nvram in
            nvram[attribute: "type"] = nil
            nvram.remove("source")
        }
        domain.osNvram = variables
    }

    private func copyNICs(_ domain: inout DomainXML) throws {
        guard domain.interfaces.count == nics.count else { throw changed("it has other NICs") }
        for index in domain.interfaces.indices {
            let old = domain.interfaces[index].mac?.lowercased()
            guard let nic = nics.first(where: { $0.from == old }) else {
                throw changed("it has other NICs")
            }
            domain.interfaces[index].mac = nic.mac
            if domain.interfaces[index].targetDev != nil { domain.interfaces[index].targetDev = nic.tap }
        }
    }

    private func changed(_ what: String) -> Problem {
        Problem(
            .vmBusy, "VM \(shown(source.name)) was changed meanwhile: \(what)",
            hint: "clone it again")
    }

    /// Sockets, ports and addresses of the host of which there is one each.
    private func separateDevices(_ domain: inout DomainXML) {
        domain.element.edit("devices/serial/log") { $0[attribute: "file"] = consoleLog }
        domain.element.edit("devices/console/log") { $0[attribute: "file"] = consoleLog }
        domain.element.edit("devices/channel") { channel in
            if channel[child: "source"]?[attribute: "mode"] == "bind" { channel.remove("source") }
        }
        domain.element.edit("devices/graphics") { graphics in
            guard graphics[attribute: "type"] != "egl-headless" else { return }
            graphics[attribute: "socket"] = nil
            graphics.edit("listen") { $0[attribute: "socket"] = nil }
            guard let port = graphics[attribute: "port"], port != "-1" else { return }
            graphics[attribute: "port"] = nil
            graphics[attribute: "tlsPort"] = nil
            graphics[attribute: "autoport"] = "yes"
        }
        domain.element.edit("devices/vsock/cid") { cid in
            cid[attribute: "address"] = nil
            cid[attribute: "auto"] = "yes"
        }
    }
}
