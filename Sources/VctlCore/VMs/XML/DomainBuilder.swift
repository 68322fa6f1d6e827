// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

extension DomainPlan {
    /// The whole definition. Pure: the same plan gives the same text.
    func domainXML() -> DomainXML {
        var domain = DomainXML()
        identity(&domain)
        memory(&domain)
        processors(&domain)
        firmware(&domain)
        features(&domain)
        lifecycle(&domain)
        devices(&domain)
        return domain
    }

    private func identity(_ domain: inout DomainXML) {
        domain.type = flavor == .test ? "test" : accelerator == .kvm ? "kvm" : "qemu"
        domain.name = name
        domain.uuid = id.rawValue
        domain.description = description
        mark.write(into: &domain)
    }

    private func memory(_ domain: inout DomainXML) {
        if let maximum = hotplugMemory {
            domain.maxMemoryBytes = maximum
            domain.maxMemorySlots = 16
        }
        domain.memoryBytes = UInt64(memoryBytes)
        domain.currentMemoryBytes = UInt64(memoryBytes)
    }

    /// `nil` unless more than the start's memory is wanted.
    private var hotplugMemory: UInt64? {
        maxMemoryBytes.flatMap { $0 > memoryBytes ? UInt64($0) : nil }
    }

    private var mostCpus: Int { max(cpus, maxCpus ?? cpus) }

    private func processors(_ domain: inout DomainXML) {
        domain.vcpusMaximum = mostCpus
        domain.vcpuPlacement = "static"
        if mostCpus > cpus { domain.vcpusCurrent = cpus }
        if flavor == .qemu { domain.element[child: "cpu"] = cpuElement }
    }

    private var cpuElement: Element {
        var cpu = Element("cpu")
        switch cpuModel ?? (accelerator == .kvm ? "host" : "max") {
        case "host", "host-passthrough":
            cpu = Element("cpu", ["mode": "host-passthrough", "check": "none", "migratable": "on"])
        case "host-model":
            cpu = Element("cpu", ["mode": "host-model", "check": "partial"])
        case "max", "maximum":
            // QEMU's fullest model: TCG's default one lacks what newer distributions are compiled for.
            cpu = Element("cpu", ["mode": "maximum", "check": "none", "migratable": "on"])
        case let model:
            cpu = Element("cpu", ["mode": "custom", "match": "exact", "check": "partial"])
            cpu.append(Element("model", ["fallback": "forbid"], text: model))
        }
        // libvirt accepts <maxMemory> only together with a NUMA cell that DIMMs can be plugged into.
        if hotplugMemory != nil { cpu.append(Element("numa", children: [numaCell])) }
        return cpu
    }

    private var numaCell: Element {
        Element(
            "cell",
            [
                "id": "0", "cpus": mostCpus == 1 ? "0" : "0-\(mostCpus - 1)",
                "memory": String(memoryBytes), "unit": "bytes",
            ])
    }

    private func firmware(_ domain: inout DomainXML) {
        domain.osType = "hvm"
        if flavor == .qemu {
            domain.osArch = "x86_64"
            domain.osMachine = machine
            if firmware != .bios { uefi(&domain) }
        }
        domain.osKernel = boot?.kernel
        domain.osInitrd = boot?.initrd
        domain.osCmdline = boot?.cmdline
    }

    private func uefi(_ domain: inout DomainXML) {
        let secure = firmware == .uefiSecure
        domain.osFirmware = "efi"
        // Unless it is told, libvirt picks an image with secure boot, under which a plain kernel hangs.
        var features = [Element("feature", ["enabled": secure ? "yes" : "no", "name": "secure-boot"])]
        if secure { features.append(Element("feature", ["enabled": "yes", "name": "enrolled-keys"])) }
        domain.element[path: "os/firmware"] = Element("firmware", children: features)
        if secure {
            domain.osLoaderSecure = true
            domain.smm = true
        }
    }

    private func features(_ domain: inout DomainXML) {
        domain.acpi = true
        domain.apic = true
        if flavor == .qemu { domain.vmport = false }
        domain.clockOffset = "utc"
        if flavor == .qemu { domain.clockTimers = Self.timers }
    }

    /// What keeps a guest's clock right when the host delays it, and no HPET, whose emulation is dear.
    private static let timers: [TimerXML] = [("rtc", "catchup"), ("pit", "delay"), ("hpet", nil)].map {
        var timer = TimerXML()
        timer.name = $0
        if let policy = $1 { timer.tickpolicy = policy } else { timer.present = false }
        return timer
    }

    private func lifecycle(_ domain: inout DomainXML) {
        domain.onPoweroff = "destroy"
        domain.onReboot = "restart"
        // A crashed guest is stopped, with the reason, and can be started again like any other.
        domain.onCrash = "destroy"
        guard flavor == .qemu else { return }
        // A guest that sleeps cannot be told from one that hangs, and libvirt cannot always wake it.
        domain.element[child: "pm"] = Element(
            "pm",
            children: [
                Element("suspend-to-mem", ["enabled": "no"]), Element("suspend-to-disk", ["enabled": "no"]),
            ])
    }
}
