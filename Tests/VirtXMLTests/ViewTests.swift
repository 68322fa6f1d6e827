// SPDX-License-Identifier: Apache-2.0
import Testing
import VirtXML

@Suite struct ViewTests {
    @Test func aDomainIsRead() throws {
        let domain = try Fixture.domain("domain-q35.xml")
        #expect(domain.maxMemoryBytes == 16 << 30)
        #expect(domain.vcpusMaximum == 8)
        #expect(domain.vcpusCurrent == 2)
        #expect(domain.osArch == "x86_64")
        #expect(domain.vmport == false)
        #expect(domain.smm == nil)
        #expect(domain.disks.map(\.device) == ["disk", "cdrom"])
        #expect(domain.disks[0].chain.map(\.sourceFile) == ["/var/lib/vctld/images/debian.qcow2"])
        #expect(domain.disks[1].readonly && !domain.disks[0].readonly)
        #expect(domain.interfaces[0].filterParameters.first?.value == "192.168.122.10")
        #expect(domain.serials[0].logAppend == true)
        #expect(domain.channels[0].targetName == "org.qemu.guest_agent.0")
        #expect(domain.memballoon?.statsPeriod == 5)
        #expect(domain.rngs[0].backendPath == "/dev/urandom")
    }

    @Test func backingChains() throws {
        let chain = try Fixture.domain("domain-chain.xml").disks[0].chain
        #expect(chain.map { $0.sourceFile ?? $0.sourceDev } == ["/srv/chain.s1", "/dev/vg0/base"])
        #expect(try Fixture.domain("domain-minimal.xml").disks.isEmpty)
    }

    private static let unitBytes: [(String, UInt64)] = [
        ("b", 1), ("bytes", 1), ("KB", 1000), ("KiB", 1024), ("k", 1024), ("MB", 1_000_000),
        ("MiB", 1_048_576), ("M", 1_048_576), ("GB", 1_000_000_000), ("GiB", 1_073_741_824),
        ("TB", 1_000_000_000_000), ("TiB", 1_099_511_627_776), ("PiB", 1_125_899_906_842_624),
        ("EiB", 1_152_921_504_606_846_976),
    ]

    @Test(arguments: unitBytes)
    func units(_ unit: String, _ bytes: UInt64) throws {
        var domain = try DomainXML(parsing: "<domain><memory unit='\(unit)'>2</memory></domain>")
        #expect(domain.memoryBytes == bytes * 2)
        domain.memoryBytes = bytes * 3
        #expect(domain.xml == "<domain><memory unit='\(unit)'>3</memory></domain>")
    }

    @Test func nonsenseIsNil() throws {
        let domain = try DomainXML(
            parsing: """
                <domain><memory unit='EiB'>16</memory><currentMemory unit='XiB'>1</currentMemory>
                <vcpu>many</vcpu><maxMemory unit='KiB'>-1</maxMemory></domain>
                """)
        #expect(domain.memoryBytes == nil)
        #expect(domain.currentMemoryBytes == nil)
        #expect(domain.maxMemoryBytes == nil)
        #expect(domain.vcpusMaximum == nil)
    }

    @Test func storage() throws {
        let pool = try PoolXML(parsing: Fixture.text("pool-logical.xml"))
        #expect(pool.sourceDevices == ["/dev/sda1", "/dev/sdb1"])
        #expect(pool.sourceName == "vg0")
        #expect(try PoolXML(parsing: Fixture.text("pool-dir.xml")).availableBytes == 62_140_309_504)
        let volume = try VolumeXML(parsing: Fixture.text("volume-qcow2.xml"))
        #expect(volume.backingPath == "/var/lib/libvirt/images/debian.qcow2")
        #expect(volume.lazyRefcounts)
        #expect(volume.clusterSizeBytes == 65536)
        #expect(try VolumeXML(parsing: Fixture.text("volume-raw.xml")).capacityBytes == 10 << 30)
    }

    @Test func hosts() throws {
        let host = try CapabilitiesXML(parsing: Fixture.text("capabilities.xml"))
        #expect(host.hostArch == "x86_64")
        #expect(host.cells.first?.memoryBytes == 24_648_000 * 1024)
        let guest = try #require(host.guests.last)
        #expect(guest.domains.map(\.type) == ["qemu", "kvm"])
        #expect(guest.domains.last?.emulator == "/usr/bin/kvm")
        #expect(guest.machines.first { $0.name == "q35" }?.canonical == "pc-q35-7.2")
        let kvm = try DomainCapabilitiesXML(parsing: Fixture.text("domaincapabilities.xml"))
        #expect(kvm.firmwares == ["efi"])
        #expect(kvm.secureBoot)
        #expect(kvm.loaders.count == 2)
        #expect(kvm.cpuMode("maximum") == nil)
        #expect(kvm.cpuMode("host-model")?.hostModel?.name == "EPYC-Rome")
        #expect(kvm.cpuMode("custom")?.models.filter { $0.usable == true }.map(\.name) == ["qemu64"])
        #expect(kvm.diskBuses == ["virtio", "scsi", "sata"])
    }

    @Test func snapshotsCheckpointsBackups() throws {
        let snapshot = try SnapshotXML(parsing: Fixture.text("snapshot-internal.xml"))
        #expect(snapshot.parent == "clean")
        #expect(snapshot.domain?.memoryBytes == 1 << 30)
        #expect(snapshot.domain?.disks.first?.sourceFile == "/srv/web1.qcow2")
        #expect(
            try SnapshotXML(parsing: Fixture.text("snapshot-external.xml")).disks[1].sourceDev
                == "/dev/vg0/snap")
        #expect(try CheckpointXML(parsing: Fixture.text("checkpoint.xml")).disks[0].sizeBytes == 1 << 20)
        #expect(try BackupXML(parsing: Fixture.text("backup-pull.xml")).disks[0].exportBitmap == "dirty")
    }
}

private typealias NetworkEdit = Edit<NetworkXML>

private let networkEdits: [NetworkEdit] = [
    Edit("network-nat", ["-  <name>default</name>", "+  <name>n</name>"]) { $0.name = "n" },
    Edit("network-nat", ["-  <forward mode='nat'>", "+  <forward mode='open'>"]) { $0.forwardMode = "open" },
    Edit("network-bridge", ["-  <forward mode='bridge'/>"]) { $0.forwardMode = nil },
    Edit(
        "network-nat",
        ["-  <bridge name='virbr0' stp='on' delay='0'/>", "+  <bridge name='vbr' stp='off' delay='2'/>"]
    ) {
        $0.bridge = "vbr"
        $0.bridgeStp = false
        $0.bridgeDelay = 2
    },
    Edit("network-nat", ["+  <mtu size='1400'/>"]) { $0.mtu = 1400 },
    Edit(
        "network-nat",
        ["-  <domain name='lab.example' localOnly='yes'/>", "+  <domain name='x' localOnly='no'/>"]
    ) {
        $0.domain = "x"
        $0.domainLocalOnly = false
    },
    Edit("network-nat", ["-      <hostname>scanner</hostname>"]) { $0.dnsHosts[0].hostnames.removeLast() },
    Edit("network-nat", ["+      <host mac='52:54:00:00:00:09' ip='192.168.122.9'/>"]) {
        var host = DhcpHostXML()
        host.mac = "52:54:00:00:00:09"
        host.ip = "192.168.122.9"
        $0.ips[0].dhcpHosts.append(host)
    },
    Edit(
        "network-isolated",
        [
            "-    <dhcp>", "-      <range start='192.168.152.2' end='192.168.152.254'/>", "-    </dhcp>",
            "-  <ip address='192.168.152.1' netmask='255.255.255.0'>",
            "+  <ip address='192.168.152.1' netmask='255.255.255.0'/>", "-  </ip>",
        ]
    ) {
        $0.ips[0].dhcpRanges = []
        $0.ips[0].element.removeElements { $0.name == "dhcp" }
        $0.ips[0].element.children = []
    },
    Edit("network-ovs", ["-      <tag id='42'/>", "+      <tag id='43'/>"]) {
        $0.portgroups[0].vlanTags = [43]
    },
    Edit("network-ovs", ["-    <tag id='47'/>"]) { $0.vlanTags.removeLast() },
    Edit("network-routed", ["-  <route address='10.9.0.0' prefix='16' gateway='10.1.0.9'/>"]) {
        $0.routes.removeFirst()
    },
]

@Suite struct NetworkEditTests {
    @Test(arguments: networkEdits) fileprivate func edits(_ edit: NetworkEdit) throws { try edit.check() }
}
