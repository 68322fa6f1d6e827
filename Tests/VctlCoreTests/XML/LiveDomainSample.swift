// SPDX-License-Identifier: Apache-2.0

/// What libvirt 9.0 and QEMU 7.2 print of a running VM of ours; ``SavedDomainSample`` is its other side.
enum LiveDomainSample {
    static let xml = #"""
        <domain type='qemu' id='1'>
          <name>web1</name>
          <uuid>6ba7b810-9dad-41d1-80b4-00c04fd430c8</uuid>
          <metadata xmlns:vctl="urn:vctl:1">
            <vctl:object instance="11111111-2222-4333-8444-555555555555"
                id="6ba7b810-9dad-41d1-80b4-00c04fd430c8">
              <vctl:disk target="vda" role="root" volume="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeee0003"/>
              <vctl:disk target="vdb" role="data" volume="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeee0003"/>
              <vctl:disk target="sda" role="data" volume="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeee0003"/>
              <vctl:disk target="sdb" role="data" volume="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeee0003"/>
              <vctl:disk target="sdc" role="seed"/>
              <vctl:disk target="sdd" role="cdrom"/>
              <vctl:disk target="sde" role="cdrom"/>
            </vctl:object>
          </metadata>
          <memory unit='KiB'>262144</memory>
          <currentMemory unit='KiB'>262144</currentMemory>
          <vcpu placement='static'>2</vcpu>
          <resource>
            <partition>/machine</partition>
          </resource>
          <os>
            <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
          </os>
          <features>
            <acpi/>
            <apic/>
            <vmport state='off'/>
          </features>
          <cpu mode='maximum' check='none' migratable='on'/>
          <clock offset='utc'>
            <timer name='rtc' tickpolicy='catchup'/>
            <timer name='pit' tickpolicy='delay'/>
            <timer name='hpet' present='no'/>
          </clock>
          <on_poweroff>destroy</on_poweroff>
          <on_reboot>restart</on_reboot>
          <on_crash>destroy</on_crash>
          <pm>
            <suspend-to-mem enabled='no'/>
            <suspend-to-disk enabled='no'/>
          </pm>
          <devices>
            <emulator>/usr/bin/qemu-system-x86_64</emulator>
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2' discard='unmap' detect_zeroes='unmap'/>
              <source file='/tmp/vmparts/tiny.qcow2' index='2'/>
              <backingStore/>
              <target dev='vda' bus='virtio'/>
              <serial>aaaaaaaabbbb4ccc8ddd</serial>
              <boot order='1'/>
              <alias name='virtio-disk0'/>
              <address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>
            </disk>
            <disk type='file' device='cdrom'>
              <driver name='qemu' type='raw'/>
              <source file='/tmp/vmparts/seed.iso' index='1'/>
              <backingStore/>
              <target dev='sdc' bus='scsi'/>
              <readonly/>
              <serial>cidata</serial>
              <alias name='scsi0-0-0-2'/>
              <address type='drive' controller='0' bus='0' target='0' unit='2'/>
            </disk>
            <controller type='scsi' index='0' model='virtio-scsi'>
              <alias name='scsi0'/>
              <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
            </controller>
            <controller type='virtio-serial' index='0'>
              <alias name='virtio-serial0'/>
              <address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>
            </controller>
            <controller type='usb' index='0' model='qemu-xhci'>
              <alias name='usb'/>
              <address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/>
            </controller>
            <controller type='pci' index='0' model='pcie-root'>
              <alias name='pcie.0'/>
            </controller>
            <controller type='pci' index='1' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='1' port='0x10'/>
              <alias name='pci.1'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0' multifunction='on'/>
            </controller>
            <controller type='pci' index='2' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='2' port='0x11'/>
              <alias name='pci.2'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x1'/>
            </controller>
            <controller type='pci' index='3' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='3' port='0x12'/>
              <alias name='pci.3'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x2'/>
            </controller>
            <controller type='pci' index='4' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='4' port='0x13'/>
              <alias name='pci.4'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x3'/>
            </controller>
            <controller type='pci' index='5' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='5' port='0x14'/>
              <alias name='pci.5'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x4'/>
            </controller>
            <controller type='pci' index='6' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='6' port='0x15'/>
              <alias name='pci.6'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x5'/>
            </controller>
            <controller type='pci' index='7' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='7' port='0x16'/>
              <alias name='pci.7'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x6'/>
            </controller>
            <controller type='pci' index='8' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='8' port='0x17'/>
              <alias name='pci.8'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x7'/>
            </controller>
            <controller type='pci' index='9' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='9' port='0x18'/>
              <alias name='pci.9'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0' multifunction='on'/>
            </controller>
            <controller type='pci' index='10' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='10' port='0x19'/>
              <alias name='pci.10'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x1'/>
            </controller>
            <controller type='pci' index='11' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='11' port='0x1a'/>
              <alias name='pci.11'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x2'/>
            </controller>
            <controller type='pci' index='12' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='12' port='0x1b'/>
              <alias name='pci.12'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x3'/>
            </controller>
            <controller type='pci' index='13' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='13' port='0x1c'/>
              <alias name='pci.13'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x4'/>
            </controller>
            <controller type='pci' index='14' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='14' port='0x1d'/>
              <alias name='pci.14'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x5'/>
            </controller>
            <controller type='pci' index='15' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='15' port='0x1e'/>
              <alias name='pci.15'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x6'/>
            </controller>
            <controller type='pci' index='16' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='16' port='0x1f'/>
              <alias name='pci.16'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x7'/>
            </controller>
            <controller type='pci' index='17' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='17' port='0x20'/>
              <alias name='pci.17'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/>
            </controller>
            <controller type='sata' index='0'>
              <alias name='ide'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x1f' function='0x2'/>
            </controller>
            <interface type='network'>
              <mac address='52:54:00:00:00:01'/>
              <source network='default' portid='b38c1702-a258-4e95-9f17-e89861bdb162' bridge='virbr0'/>
              <target dev='vt6ba7b8100'/>
              <model type='virtio'/>
              <alias name='net0'/>
              <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
            </interface>
            <serial type='pty'>
              <source path='/dev/pts/0'/>
              <log file='/tmp/vmparts/console.log' append='on'/>
              <target type='isa-serial' port='0'>
                <model name='isa-serial'/>
              </target>
              <alias name='serial0'/>
            </serial>
            <console type='pty' tty='/dev/pts/0'>
              <source path='/dev/pts/0'/>
              <log file='/tmp/vmparts/console.log' append='on'/>
              <target type='serial' port='0'/>
              <alias name='serial0'/>
            </console>
            <channel type='unix'>
              <source mode='bind'
                path='/var/lib/libvirt/qemu/channel/target/domain-1-web1/org.qemu.guest_agent.0'/>
              <target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>
              <alias name='channel0'/>
              <address type='virtio-serial' controller='0' bus='0' port='1'/>
            </channel>
            <input type='tablet' bus='usb'>
              <alias name='input0'/>
              <address type='usb' bus='0' port='1'/>
            </input>
            <input type='mouse' bus='ps2'>
              <alias name='input1'/>
            </input>
            <input type='keyboard' bus='ps2'>
              <alias name='input2'/>
            </input>
            <graphics type='vnc' socket='/var/lib/libvirt/qemu/domain-1-web1/vnc.sock'>
              <listen type='socket' socket='/var/lib/libvirt/qemu/domain-1-web1/vnc.sock'/>
            </graphics>
            <audio id='1' type='none'/>
            <video>
              <model type='vga' vram='16384' heads='1' primary='yes'/>
              <alias name='video0'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>
            </video>
            <memballoon model='virtio' autodeflate='on' freePageReporting='on'>
              <stats period='10'/>
              <alias name='balloon0'/>
              <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
            </memballoon>
            <rng model='virtio'>
              <backend model='random'>/dev/urandom</backend>
              <alias name='rng0'/>
              <address type='pci' domain='0x0000' bus='0x07' slot='0x00' function='0x0'/>
            </rng>
          </devices>
          <seclabel type='dynamic' model='dac' relabel='yes'>
            <label>+0:+0</label>
            <imagelabel>+0:+0</imagelabel>
          </seclabel>
        </domain>
        """#
}
