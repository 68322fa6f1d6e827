// SPDX-License-Identifier: Apache-2.0

/// The order in which libvirt writes the children of the elements that we add to. libvirt reads any order;
/// people and diffs are better off with the usual one.
enum ElementOrder {
    /// The node after which a new child belongs; nil: before everything else.
    static func anchor(for name: String, in parent: Element) -> Int? {
        if let same = parent.children.lastIndex(where: { $0.element?.name == name }) { return same }
        let last = parent.children.lastIndex { !$0.isBlank }
        guard let ranks = table[parent.name], let rank = ranks[name] else { return last }
        let after = parent.children.lastIndex {
            guard let other = $0.element.flatMap({ ranks[$0.name] }) else { return false }
            return other < rank
        }
        if let after { return after }
        let knowsAny = parent.children.contains { $0.element.flatMap { ranks[$0.name] } != nil }
        return knowsAny ? nil : last
    }

    private static let table: [String: [String: Int]] = orders.mapValues { names in
        Dictionary(names.split(whereSeparator: \.isWhitespace).enumerated().map { (String($1), $0) }) { $1 }
    }

    private static let orders = [
        "domain": """
        name uuid genid title description metadata maxMemory memory currentMemory blkiotune
        memoryBacking memtune vcpu vcpus iothreads iothreadids cputune numatune resource sysinfo
        bootloader bootloader_args os idmap features cpu clock on_poweroff on_reboot on_crash
        on_lockfailure pm perf devices seclabel launchSecurity keywrap qemu:commandline
        """,
        "os": """
        type loader nvram kernel initrd cmdline dtb acpi init initarg boot bootmenu bios smbios firmware
        """,
        "devices": """
        emulator disk controller lease filesystem interface smartcard serial parallel console channel
        input tpm graphics sound audio video hostdev redirdev redirfilter hub watchdog memballoon rng
        nvram panic shmem memory iommu vsock crypto
        """,
        "disk": """
        driver auth source geometry backingStore mirror target iotune readonly shareable transient boot
        blockio serial wwn vendor product encryption alias address
        """,
        "interface": """
        mac source vlan virtualport ip route script backend target guest model driver tune bandwidth
        filterref link mtu coalesce teaming port boot rom alias address
        """,
        "serial": charDevice, "console": charDevice, "channel": charDevice, "parallel": charDevice,
        "backingStore": "format source backingStore",
        "cpu": "arch model vendor topology cache maxphysaddr feature numa",
        "memoryBacking": "hugepages nosharepages locked source access allocation discard",
        "network": """
        name uuid metadata forward bridge mtu mac domain bandwidth virtualport vlan port dns portgroup
        ip route
        """,
        "ip": "tftp dhcp", "dhcp": "range host bootp",
        "dns": "forwarder txt host srv",
        "portgroup": "bandwidth vlan virtualport",
        "pool": "name uuid capacity allocation available features source target",
        "volume": "name key source capacity allocation physical target backingStore",
        "target": "path format permissions timestamps encryption compat features",
        "domainsnapshot": """
        name description state creationTime parent memory disks domain inactiveDomain active cookie
        """,
        "domaincheckpoint": "name description parent creationTime disks domain",
        "graphics": "listen channel image jpeg zlib playback streaming clipboard filetransfer mouse gl",
        "rng": "rate backend driver alias address",
    ]

    private static let charDevice = "source protocol log target alias address"
}
