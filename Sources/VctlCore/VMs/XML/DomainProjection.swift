// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// A domain as the API shows it. One XML parse for each text that libvirt gave: one where it is stopped or
/// has no saved definition, two where it runs.
struct DomainProjection: Sendable {
    var vm: VM
    /// Whose it is; `vm.managed` says only whether it is ours.
    var ownership: Ownership

    /// - Parameters:
    ///   - instance: this instance, whose mark makes a domain managed.
    ///   - observedAt: when libvirt was asked.
    init(_ view: DomainView, instance: ObjectID, observedAt: Timestamp) {
        let active = view.activeXML.flatMap(Self.parse)
        let inactive = view.inactiveXML.flatMap(Self.parse)
        let shown = active ?? inactive
        // The saved definition is where marks are changed first; what runs may still hold an older one.
        let mark = (inactive ?? active).flatMap { Mark(in: $0) }
        ownership = Ownership(mark, instance: instance, id: view.id)
        vm = VM(
            id: view.id, name: view.name, state: view.state, stateReason: view.stateReason,
            cpus: shown?.cpus ?? 0, memoryBytes: shown?.memory ?? 0, managed: ownership.mark != nil,
            autostart: view.autostart, observedAt: observedAt)
        if let shown { describe(shown) }
        if let mark = ownership.mark { describe(mark) }
        if let active, vm.state == .running || vm.state == .paused {
            vm.agent = active.agentState.map { VM.Agent(state: $0, since: observedAt) }
        }
        if let active, let source = RescueBoot.source(of: active) {
            vm.rescue = source
            if vm.state == .running, view.stateReason == .booted { vm.stateReason = .rescue }
        }
        if let active, let inactive { vm.pending = Self.pending(active, inactive) }
        if let name = ownership.mark?.newName {
            vm.pending = (vm.pending ?? [:]).merging(["name": name]) { $1 }
        }
    }

    /// libvirt writes what we read; a text that cannot be read is shown as a VM without devices.
    private static func parse(_ text: String) -> DomainXML? { try? DomainXML(parsing: text) }

    private mutating func describe(_ domain: DomainXML) {
        vm.description = domain.description
        vm.maxCpus = domain.vcpusMaximum
        vm.maxMemoryBytes = domain.maxMemoryBytes.map(Int64.init(clamping:))
        vm.accelerator = ["kvm": .kvm, "qemu": .tcg][domain.type ?? ""]
        vm.firmware = vm.accelerator == nil ? nil : domain.firmware
        vm.machine = domain.osMachine
        vm.tpm = vm.accelerator == nil ? nil : domain.hasTPM
        vm.disks = domain.disks.compactMap(VM.Disk.init)
        vm.nics = domain.interfaces.compactMap(VM.NIC.init)
        let graphics = domain.graphics.compactMap(VM.Graphics.init)
        vm.graphics = graphics.isEmpty ? nil : graphics
    }

    private mutating func describe(_ mark: Mark) {
        vm.nics = vm.nics.map(mark.completed)
        vm.labels = mark.labels
        vm.image = mark.image
        vm.createdAt = mark.createdAt
        vm.protected = mark.protected
        vm.autostart = vm.autostart || mark.start != nil
        vm.autostartOrder = mark.start?.order
        vm.autostartDelaySeconds = mark.start?.delay
        vm.onCrash = mark.onCrash
        vm.profile = mark.profile
        let roles = Dictionary(
            mark.disks.map { ($0.target, $0.role) }, uniquingKeysWith: { first, _ in first })
        for index in vm.disks.indices {
            vm.disks[index].role = roles[vm.disks[index].target] ?? vm.disks[index].role
        }
    }
}

extension DomainXML {
    /// The vCPUs that it has, not the most that it may have.
    var cpus: Int { self.vcpusCurrent ?? self.vcpusMaximum ?? 1 }

    /// What the balloon leaves it, in bytes.
    var memory: Int64 { Int64(clamping: self.currentMemoryBytes ?? self.memoryBytes ?? 0) }

    /// Whether the guest's agent has opened its channel; `nil`: there is none.
    var agentState: AgentState? {
        let channel = self.channels.first { $0.targetName == "org.qemu.guest_agent.0" }
        return channel.map { $0.targetState == "connected" ? .up : .down }
    }

    /// By `firmware='efi'`, or by a loader that an admin named.
    var firmware: Firmware {
        guard self.osFirmware == "efi" || self.osLoaderType == "pflash" else { return .bios }
        return self.osLoaderSecure == true ? .uefiSecure : .uefi
    }
}

extension VM.Disk {
    init?(_ disk: DiskXML) {
        guard let target = disk.targetDev else { return nil }
        let device = disk.device ?? "disk"
        self.init(
            target: target, device: device, bus: disk.targetBus, path: disk.sourcePath,
            format: disk.driverType,
            serial: disk.serial, readOnly: disk.readonly || device == "cdrom",
            role: device == "cdrom" ? "cdrom" : nil)
    }
}

extension VM.Graphics {
    init?(_ graphics: GraphicsXML) {
        guard let type = graphics.type else { return nil }
        // Before it runs, libvirt writes -1 for a port that it will choose.
        let port = graphics.port.flatMap { $0 > 0 ? $0 : nil }
        self.init(
            type: type, socket: graphics.listenSocket, address: port == nil ? nil : graphics.listenAddress,
            port: port)
    }
}

extension VM.NIC {
    init?(_ nic: InterfaceXML) {
        guard let mac = nic.mac else { return nil }
        self.init(
            mac: mac.lowercased(), network: nic.sourceNetwork, bridge: nic.sourceBridge, model: nic.model,
            tap: nic.targetDev)
        link = nic.isPluggedIn
        vlan = nic.vlanTags.first
        (mtu, queues, boot) = (nic.mtu, nic.queues, nic.bootOrder)
        isolated = nic.isolated
        inbound = NICSetting.Rate(inboundOf: nic)?.limit
        outbound = NICSetting.Rate(outboundOf: nic)?.limit
    }
}
