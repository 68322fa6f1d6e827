// SPDX-License-Identifier: Apache-2.0
import Testing
import VirtXML

private typealias DomainEdit = Edit<DomainXML>

private let oldDriver =
    "-      <driver name='qemu' type='qcow2' cache='none' io='native' discard='unmap' detect_zeroes='unmap'/>"

private let general: [DomainEdit] = [
    Edit("domain-q35", ["-<domain type='kvm'>", "+<domain type='qemu'>"]) { $0.type = "qemu" },
    Edit("domain-q35", ["-  <name>web1</name>", "+  <name>a&amp;b</name>"]) { $0.name = "a&b" },
    Edit("domain-q35", ["-  <title>Front end</title>"]) { $0.title = nil },
    Edit("domain-i440fx", ["+  <title>t</title>"]) { $0.title = "t" },
    Edit(
        "domain-q35",
        [
            "-  <description>Serves the &lt;shop&gt; &amp; its images</description>",
            "+  <description>it&apos;s</description>",
        ]
    ) { $0.description = "it's" },
    Edit("domain-q35", ["-  <memory unit='KiB'>4194304</memory>", "+  <memory unit='KiB'>2097152</memory>"]) {
        $0.memoryBytes = 2 << 30
    },
    Edit("domain-i440fx", ["-  <memory unit='MiB'>512</memory>", "+  <memory unit='MiB'>768</memory>"]) {
        $0.memoryBytes = 768 << 20
    },
    Edit("domain-i440fx", ["-  <memory unit='MiB'>512</memory>", "+  <memory unit='bytes'>1048577</memory>"])
    { $0.memoryBytes = 1 << 20 + 1 },
    Edit("domain-minimal", ["-  <memory>65536</memory>", "+  <memory>131072</memory>"]) {
        $0.memoryBytes = 128 << 20
    },
    Edit("domain-i440fx", ["+  <currentMemory unit='KiB'>262144</currentMemory>"]) {
        $0.currentMemoryBytes = 256 << 20
    },
    Edit(
        "domain-q35",
        [
            "-  <maxMemory slots='16' unit='KiB'>16777216</maxMemory>",
            "+  <maxMemory slots='8' unit='KiB'>16777216</maxMemory>",
        ]
    ) { $0.maxMemorySlots = 8 },
    Edit(
        "domain-q35",
        [
            "-  <vcpu placement='static' current='2'>8</vcpu>",
            "+  <vcpu placement='static' current='4'>8</vcpu>",
        ]
    ) { $0.vcpusCurrent = 4 },
    Edit(
        "domain-q35",
        ["-  <vcpu placement='static' current='2'>8</vcpu>", "+  <vcpu placement='static'>16</vcpu>"]
    ) {
        $0.vcpusMaximum = 16
        $0.vcpusCurrent = nil
    },
    Edit("domain-q35", ["-  <iothreads>1</iothreads>"]) { $0.ioThreads = nil },
    Edit("domain-kernel", ["+  <cpu mode='host-model'/>"]) { $0.cpuMode = "host-model" },
    Edit(
        "domain-q35",
        [
            "-    <topology sockets='1' dies='1' cores='8' threads='1'/>",
            "+    <topology sockets='1' dies='1' cores='4' threads='2'/>",
        ]
    ) {
        $0.cpuCores = 4
        $0.cpuThreads = 2
    },
    Edit("domain-q35", ["-  <clock offset='utc'>", "+  <clock offset='localtime'>"]) {
        $0.clockOffset = "localtime"
    },
    Edit("domain-q35", ["-    <timer name='pit' tickpolicy='delay'/>"]) { $0.clockTimers.remove(at: 1) },
    Edit("domain-q35", ["-  <on_poweroff>destroy</on_poweroff>", "+  <on_poweroff>restart</on_poweroff>"]) {
        $0.onPoweroff = "restart"
    },
    Edit("domain-q35", ["-  <on_reboot>restart</on_reboot>", "+  <on_reboot>destroy</on_reboot>"]) {
        $0.onReboot = "destroy"
    },
    Edit("domain-kernel", ["+  <on_crash>preserve</on_crash>"]) { $0.onCrash = "preserve" },
    Edit("domain-q35", ["-    <apic/>"]) { $0.apic = false },
    Edit("domain-q35", ["+    <pae/>"]) { $0.pae = true },
    Edit("domain-q35", ["-    <vmport state='off'/>", "+    <vmport state='on'/>"]) { $0.vmport = true },
    Edit("domain-kernel", ["+  <features>", "+    <acpi/>", "+  </features>"]) { $0.acpi = true },
    Edit(
        "domain-q35",
        ["-    <emulator>/usr/bin/qemu-system-x86_64</emulator>", "+    <emulator>/e</emulator>"]
    ) { $0.emulator = "/e" },
    Edit("domain-minimal", ["+  <memoryBacking>", "+    <hugepages/>", "+  </memoryBacking>"]) {
        $0.hugepages = true
    },
    Edit("domain-qemu-commandline", ["-    <qemu:arg value='-newarg'/>"]) { $0.qemuArguments.removeFirst() },
]

private let boot: [DomainEdit] = [
    Edit(
        "domain-q35",
        [
            "-    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>",
            "+    <type arch='x86_64' machine='q35'>hvm</type>",
        ]
    ) { $0.osMachine = "q35" },
    Edit("domain-i440fx", ["-    <boot dev='cdrom'/>"]) { $0.osBootDevices = ["hd"] },
    Edit("domain-i440fx", ["+    <boot dev='network'/>"]) { $0.osBootDevices.append("network") },
    Edit("domain-i440fx", ["+    <boot dev='network'/>"]) { $0.osBootDevices.insert("network", at: 0) },
    Edit("domain-test-driver", ["-    <boot dev='hd'/>", "+    <boot dev='cdrom'/>"]) {
        $0.osBootDevices = ["cdrom"]
    },
    Edit("domain-kernel", ["-    <kernel>/boot/vmlinuz</kernel>", "+    <kernel>/k</kernel>"]) {
        $0.osKernel = "/k"
    },
    Edit("domain-kernel", ["-    <initrd>/srv/initrd.img</initrd>"]) { $0.osInitrd = nil },
    Edit("domain-q35", ["+    <kernel>/k</kernel>", "+    <cmdline>a=&apos;b&apos;</cmdline>"]) {
        $0.osCmdline = "a='b'"
        $0.osKernel = "/k"
    },
    Edit("domain-uefi-auto", ["-  <os firmware='efi'>", "+  <os>"]) { $0.osFirmware = nil },
    Edit(
        "domain-uefi-tpm",
        [
            "-    <loader readonly='yes' secure='yes' type='pflash'>/srv/OVMF_CODE.ms.fd</loader>",
            "+    <loader readonly='yes' secure='no' type='pflash'>/x</loader>",
        ]
    ) {
        $0.osLoader = "/x"
        $0.osLoaderSecure = false
    },
    Edit(
        "domain-uefi-tpm",
        [
            "-    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd'>/srv/nvram.fd</nvram>",
            "+    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd'>/v</nvram>",
        ]
    ) { $0.osNvram = "/v" },
    Edit("domain-uefi-tpm", ["-    <smm state='on'>", "+    <smm state='off'>"]) { $0.smm = false },
    Edit("domain-sysinfo", ["-    <smbios mode='sysinfo'/>"]) { $0.osSmbiosMode = nil },
]

private let disks: [DomainEdit] = [
    Edit("domain-q35", ["-      <target dev='sda' bus='scsi'/>", "+      <target dev='vda' bus='virtio'/>"]) {
        $0.disks[0].targetDev = "vda"
        $0.disks[0].targetBus = "virtio"
    },
    Edit(
        "domain-q35",
        [
            oldDriver,
            "+      <driver name='qemu' type='qcow2' cache='writeback' io='threads' discard='ignore'/>",
        ]
    ) {
        $0.disks[0].cache = "writeback"
        $0.disks[0].io = "threads"
        $0.disks[0].discard = "ignore"
        $0.disks[0].detectZeroes = nil
    },
    Edit("domain-q35", ["-      <source file='/var/lib/vctld/seeds/web1.iso'/>"]) {
        $0.disks[1].sourcePath = nil
    },
    Edit("domain-block-lvm", ["-      <source dev='/dev/vg0/db1'/>", "+      <source dev='/dev/vg1/db1'/>"]) {
        $0.disks[0].sourcePath = "/dev/vg1/db1"
    },
    Edit("domain-i440fx", ["-      <source dir='/srv/floppy'/>", "+      <source dir='/f'/>"]) {
        $0.disks[2].sourceDir = "/f"
    },
    Edit(
        "domain-network-disks",
        [
            "-      <source protocol='rbd' name='rbd/remote'>",
            "+      <source protocol='rbd' name='rbd/other'>",
        ]
    ) { $0.disks[0].sourcePath = "rbd/other" },
    Edit("domain-network-disks", ["-        <host name='mon2.example.org' port='6322'/>"]) {
        $0.disks[0].sourceHosts.removeLast()
    },
    Edit("domain-q35", ["-      <serial>seed</serial>", "+      <serial>s2</serial>"]) {
        $0.disks[1].serial = "s2"
    },
    Edit("domain-q35", ["-      <readonly/>"]) { $0.disks[1].readonly = false },
    Edit("domain-q35", ["+      <shareable/>"]) { $0.disks[0].shareable = true },
    Edit("domain-block-lvm", ["-      <boot order='1'/>"]) { $0.disks[0].bootOrder = nil },
    Edit("domain-q35", ["+      <boot order='1'/>"]) { $0.disks[0].bootOrder = 1 },
    Edit("domain-q35", ["-        <total_iops_sec>2000</total_iops_sec>"]) {
        $0.disks[0].totalIopsPerSecond = nil
    },
    Edit(
        "domain-q35",
        [
            "-      <iotune>", "-        <total_bytes_sec>104857600</total_bytes_sec>",
            "-        <total_iops_sec>2000</total_iops_sec>", "-      </iotune>",
        ]
    ) {
        $0.disks[0].totalIopsPerSecond = nil
        $0.disks[0].totalBytesPerSecond = nil
    },
    Edit("domain-chain", ["-        <source file='/srv/chain.s1'/>", "+        <source file='/srv/new'/>"]) {
        $0.disks[0].backingStore?.sourceFile = "/srv/new"
    },
    Edit(
        "domain-q35",
        [
            "-    <disk type='file' device='cdrom'>", "-      <driver name='qemu' type='raw'/>",
            "-      <source file='/var/lib/vctld/seeds/web1.iso'/>", "-      <target dev='sdb' bus='scsi'/>",
            "-      <readonly/>", "-      <serial>seed</serial>", "-    </disk>",
        ]
    ) { $0.disks.remove(at: 1) },
    Edit("domain-q35", ["+    <disk type='file'>", "+      <target dev='sdc'/>", "+    </disk>"]) {
        var disk = DiskXML()
        disk.targetDev = "sdc"
        disk.type = "file"
        $0.disks.append(disk)
    },
]

private let devices: [DomainEdit] = [
    Edit(
        "domain-q35",
        ["-      <mac address='52:54:00:6c:3a:01'/>", "+      <mac address='52:54:00:00:00:01'/>"]
    ) { $0.interfaces[0].mac = "52:54:00:00:00:01" },
    Edit("domain-q35", ["-      <source network='default'/>", "+      <source network='lan'/>"]) {
        $0.interfaces[0].sourceNetwork = "lan"
    },
    Edit("domain-q35", ["-      <target dev='vt6c3a01'/>", "+      <target dev='vtx'/>"]) {
        $0.interfaces[0].targetDev = "vtx"
    },
    Edit("domain-q35", ["-      <link state='up'/>", "+      <link state='down'/>"]) {
        $0.interfaces[0].linkState = "down"
    },
    Edit("domain-q35", ["-      <mtu size='1500'/>"]) { $0.interfaces[0].mtu = nil },
    Edit(
        "domain-q35",
        [
            "-      <boot order='2'/>", "-      <alias name='ua-nic0'/>", "+      <boot order='3'/>",
            "+      <alias name='ua-n'/>",
        ]
    ) {
        $0.interfaces[0].bootOrder = 3
        $0.interfaces[0].alias = "ua-n"
    },
    Edit(
        "domain-q35",
        [
            "-        <parameter name='IP' value='192.168.122.10'/>",
            "+        <parameter name='IP' value='192.168.122.11'/>",
        ]
    ) { $0.interfaces[0].filterParameters[0].value = "192.168.122.11" },
    Edit("domain-q35", ["+      <vlan>", "+        <tag id='5'/>", "+      </vlan>"]) {
        $0.interfaces[0].vlanTags = [5]
    },
    Edit("domain-nics", ["-        <tag id='47'/>"]) { $0.interfaces[0].vlanTags.removeLast() },
    Edit(
        "domain-nics",
        [
            "-        <inbound average='1000' peak='5000' burst='1024'/>",
            "+        <inbound average='2000' peak='5000' burst='1024'/>",
        ]
    ) { $0.interfaces[0].inboundAverage = 2000 },
    Edit("domain-q35", ["+      <port isolated='yes'/>"]) { $0.interfaces[0].isolated = true },
    Edit("domain-nics", ["+      <mtu size='1400'/>"]) { $0.interfaces[1].mtu = 1400 },
    Edit("domain-nics", ["-        <outbound average='128' peak='256' burst='256'/>"]) {
        $0.interfaces[0].element.remove(Path("bandwidth/outbound"))
    },
    Edit("domain-nics", ["-      <source bridge='br0'/>", "+      <source bridge='br1'/>"]) {
        $0.interfaces[0].sourceBridge = "br1"
    },
    Edit(
        "domain-nics",
        ["-      <source dev='eth0' mode='bridge'/>", "+      <source dev='eth1' mode='bridge'/>"]
    ) { $0.interfaces[1].sourceDev = "eth1" },
    Edit("domain-nics", ["-      <model type='e1000e'/>", "+      <model type='virtio'/>"]) {
        $0.interfaces[3].model = "virtio"
    },
    Edit(
        "domain-q35",
        [
            "-    <controller type='scsi' index='0' model='virtio-scsi'>", "-    </controller>",
            "-      <driver queues='2' iothread='1'/>",
            "+    <controller type='scsi' index='0' model='virtio-scsi'/>",
        ]
    ) {
        $0.controllers[0].queues = nil
        $0.controllers[0].ioThread = nil
    },
    Edit(
        "domain-q35",
        ["-      <log file='/var/log/vctld/web1.log' append='on'/>", "+      <log file='/l' append='off'/>"]
    ) {
        $0.serials[0].logFile = "/l"
        $0.serials[0].logAppend = false
    },
    Edit(
        "domain-chardevs",
        ["-      <source mode='bind' path='/run/lines.sock'/>", "+      <source mode='bind' path='/s'/>"]
    ) { $0.serials[1].sourcePath = "/s" },
    Edit(
        "domain-q35", ["-      <target type='serial' port='0'/>", "+      <target type='virtio' port='0'/>"]
    ) { $0.consoles[0].targetType = "virtio" },
    Edit(
        "domain-q35",
        [
            "-      <target type='virtio' name='org.qemu.guest_agent.0'/>",
            "+      <target type='virtio' name='org.example'/>",
        ]
    ) { $0.channels[0].targetName = "org.example" },
    Edit(
        "domain-q35",
        [
            "-      <listen type='address' address='127.0.0.1'/>",
            "+      <listen type='address' address='::1'/>",
        ]
    ) { $0.graphics[0].listenAddress = "::1" },
    Edit(
        "domain-q35",
        [
            "-      <backend model='random'>/dev/urandom</backend>",
            "+      <backend model='random'>/dev/random</backend>",
        ]
    ) { $0.rngs[0].backendPath = "/dev/random" },
    Edit(
        "domain-q35",
        [
            "-    <memballoon model='virtio' autodeflate='on' freePageReporting='on'>",
            "+    <memballoon model='virtio' autodeflate='off' freePageReporting='on'>",
        ]
    ) { $0.memballoon?.autodeflate = false },
    Edit(
        "domain-q35",
        [
            "-      <model type='virtio' heads='1' primary='yes'/>",
            "+      <model type='vga' heads='1' primary='yes'/>",
        ]
    ) { $0.videos[0].model = "vga" },
    Edit(
        "domain-uefi-tpm",
        [
            "-      <backend type='emulator' version='2.0' persistent_state='yes'/>",
            "+      <backend type='emulator' version='1.2' persistent_state='no'/>",
        ]
    ) {
        $0.tpms[0].version = "1.2"
        $0.tpms[0].persistentState = false
    },
    Edit(
        "domain-memory",
        [
            "-        <requested unit='KiB'>1048576</requested>",
            "+        <requested unit='KiB'>524288</requested>",
        ]
    ) { $0.memoryDevices[1].requestedBytes = 512 << 20 },
]

@Suite struct DomainEditTests {
    @Test(arguments: general) fileprivate func generalEdits(_ edit: DomainEdit) throws { try edit.check() }
    @Test(arguments: boot) fileprivate func bootEdits(_ edit: DomainEdit) throws { try edit.check() }
    @Test(arguments: disks) fileprivate func diskEdits(_ edit: DomainEdit) throws { try edit.check() }
    @Test(arguments: devices) fileprivate func deviceEdits(_ edit: DomainEdit) throws { try edit.check() }
}
