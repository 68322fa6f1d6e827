// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

extension DomainProjection {
    /// What the saved definition says otherwise than what runs: field → the value after the next start.
    ///
    /// Compared is only what libvirt writes the same in both: it fills a running domain with addresses,
    /// aliases, and a CPU's features, which are no difference.
    static func pending(_ active: DomainXML, _ inactive: DomainXML) -> [String: String]? {
        var changes: [String: String] = [:]
        scalars(active, inactive, &changes)
        cpuModel(active, inactive, &changes)
        devices(active, inactive, &changes)
        disks(active, inactive, &changes)
        nics(active, inactive, &changes)
        return changes.isEmpty ? nil : changes
    }

    private static func scalars(_ active: DomainXML, _ inactive: DomainXML, _ changes: inout [String: String])
    {
        func note<Value: Equatable>(_ field: String, _ value: (DomainXML) -> Value?) {
            let saved = value(inactive)
            if value(active) != saved { changes[field] = saved.map { "\($0)" } ?? "none" }
        }
        note("name") { $0.name }
        note("cpus") { $0.cpus }
        note("maxCpus") { $0.vcpusMaximum }
        note("memoryBytes") { $0.memory }
        note("maxMemoryBytes") { $0.maxMemoryBytes }
        note("machine") { $0.osMachine }
        note("firmware") { $0.firmware.rawValue }
        note("tpm") { $0.hasTPM }
        note("graphics") { $0.graphicsKinds.isEmpty ? nil : $0.graphicsKinds.joined(separator: ",") }
        note("kernel") { $0.osKernel }
        note("initrd") { $0.osInitrd }
        note("cmdline") { $0.osCmdline }
        note("boot") { $0.osBootDevices.isEmpty ? nil : $0.osBootDevices.joined(separator: ",") }
        note("video") { domain in
            let models = domain.videos.compactMap(\.model)
            return models.isEmpty ? nil : models.joined(separator: ",")
        }
        note("onCrash") { $0.onCrash }
    }

    /// Where libvirt chooses the model at the start (`host-model`, `minimum`, a fallback), another one in
    /// what runs is no difference; that such a mode is new cannot be told.
    private static func cpuModel(
        _ active: DomainXML, _ inactive: DomainXML, _ changes: inout [String: String]
    ) {
        func words(_ domain: DomainXML) -> String? {
            domain.cpuMode == "custom" ? domain.cpuModel : domain.cpuMode
        }
        guard let live = words(active), let saved = words(inactive), live != saved else { return }
        let isChosen =
            saved == "host-model" || inactive.cpuMatch == "minimum"
            || inactive.cpuMode == "custom"
                && inactive.element.first("cpu/model")?[attribute: "fallback"] != "forbid"
        if isChosen, active.cpuMode == "custom" { return }
        changes["cpuModel"] = saved
    }

    /// How many there are of those that have no name to compare them by.
    private static func devices(
        _ active: DomainXML, _ inactive: DomainXML, _ changes: inout [String: String]
    ) {
        func counts(_ domain: DomainXML) -> [String: Int] {
            let devices = domain.element.first("devices")?.elements ?? []
            return Dictionary(grouping: devices, by: \.name).mapValues(\.count)
        }
        let (live, saved) = (counts(active), counts(inactive))
        for kind in counted where live[kind] != saved[kind] { changes[kind] = "\(saved[kind] ?? 0)" }
    }

    private static let counted = [
        "channel", "filesystem", "hostdev", "panic", "parallel", "redirdev", "rng", "serial", "shmem",
        "sound", "vsock", "watchdog",
    ]

    private static func disks(_ active: DomainXML, _ inactive: DomainXML, _ changes: inout [String: String]) {
        compare(active.disks, inactive.disks, "disks", { $0.targetDev }, &changes) { disk in
            [disk.device ?? "disk", disk.targetBus, disk.driverType, disk.sourcePath].map { $0 ?? "none" }
                .joined(separator: " ")
        }
    }

    private static func nics(_ active: DomainXML, _ inactive: DomainXML, _ changes: inout [String: String]) {
        // A network or its port group may say these two for a NIC that says nothing itself.
        let known = Dictionary(
            inactive.interfaces.compactMap { nic in nic.mac.map { ($0.lowercased(), nic) } }
        ) { first, _ in first }
        compare(active.interfaces, inactive.interfaces, "nics", { $0.mac?.lowercased() }, &changes) { nic in
            let saved = nic.mac.flatMap { known[$0.lowercased()] }
            var words = [
                nic.sourceNetwork ?? nic.sourceBridge ?? nic.sourceDev ?? "none", nic.model ?? "none",
            ]
            if let tag = nic.vlanTags.first, saved?.vlanTags.isEmpty == false { words.append("vlan=\(tag)") }
            if nic.isolated == true, saved?.isolated == true { words.append("isolated") }
            if let mtu = nic.mtu { words.append("mtu=\(mtu)") }
            if let queues = nic.queues { words.append("queues=\(queues)") }
            if let place = nic.bootOrder { words.append("boot=\(place)") }
            if !nic.isPluggedIn { words.append("link=no") }
            return words.joined(separator: " ")
        }
    }

    private static func compare<Device>(
        _ active: [Device], _ inactive: [Device], _ field: String, _ key: (Device) -> String?,
        _ changes: inout [String: String], _ words: (Device) -> String
    ) {
        func index(_ devices: [Device]) -> [String: String] {
            let pairs = devices.compactMap { device in key(device).map { ($0, words(device)) } }
            return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        }
        let live = index(active)
        let saved = index(inactive)
        for (name, value) in saved where live[name] != value { changes["\(field).\(name)"] = value }
        for name in live.keys where saved[name] == nil { changes["\(field).\(name)"] = "removed" }
    }
}
