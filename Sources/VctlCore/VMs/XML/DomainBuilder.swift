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
        var cpu = Hardware.cpu(cpuModel ?? (accelerator == .kvm ? "host" : "max"))
        if hotplugMemory != nil {
            let cell = Hardware.numaCell(cpus: mostCpus, memoryBytes: UInt64(memoryBytes))
            cpu.append(Element("numa", children: [cell]))
        }
        return cpu
    }

    private func firmware(_ domain: inout DomainXML) {
        domain.osType = "hvm"
        if flavor == .qemu {
            domain.osArch = "x86_64"
            domain.osMachine = machine
            Hardware.setFirmware(firmware, variables: variables, of: &domain)
        }
        domain.osKernel = boot?.kernel
        domain.osInitrd = boot?.initrd
        domain.osCmdline = boot?.cmdline
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
