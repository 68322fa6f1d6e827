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
    }

    private static func disks(_ active: DomainXML, _ inactive: DomainXML, _ changes: inout [String: String]) {
        compare(active.disks, inactive.disks, "disks", { $0.targetDev }, &changes) { disk in
            [disk.device ?? "disk", disk.targetBus, disk.driverType, disk.sourcePath].map { $0 ?? "none" }
                .joined(separator: " ")
        }
    }

    private static func nics(_ active: DomainXML, _ inactive: DomainXML, _ changes: inout [String: String]) {
        compare(active.interfaces, inactive.interfaces, "nics", { $0.mac?.lowercased() }, &changes) { nic in
            let source = nic.sourceNetwork ?? nic.sourceBridge ?? nic.sourceDev ?? "none"
            return "\(source) \(nic.model ?? "none")"
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
