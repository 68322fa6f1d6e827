// SPDX-License-Identifier: Apache-2.0

/// The saved definition of the same VM; ``LiveDomainSample`` is its other side.
enum SavedDomainSample {
    static let xml = #"""
        <domain type='qemu'>
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
              <source file='/tmp/vmparts/tiny.qcow2'/>
              <target dev='vda' bus='virtio'/>
              <serial>aaaaaaaabbbb4ccc8ddd</serial>
              <boot order='1'/>
              <address type='pci' domain='0x0000' bus='0x05' slot='0x00' function='0x0'/>
            </disk>
            <disk type='file' device='cdrom'>
              <driver name='qemu' type='raw'/>
              <source file='/tmp/vmparts/seed.iso'/>
              <target dev='sdc' bus='scsi'/>
              <readonly/>
              <serial>cidata</serial>
              <address type='drive' controller='0' bus='0' target='0' unit='2'/>
            </disk>
            <controller type='scsi' index='0' model='virtio-scsi'>
              <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
            </controller>
            <controller type='virtio-serial' index='0'>
              <address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>
            </controller>
            <controller type='usb' index='0' model='qemu-xhci'>
              <address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/>
            </controller>
            <controller type='pci' index='0' model='pcie-root'/>
            <controller type='pci' index='1' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='1' port='0x10'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0' multifunction='on'/>
            </controller>
            <controller type='pci' index='2' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='2' port='0x11'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x1'/>
            </controller>
            <controller type='pci' index='3' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='3' port='0x12'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x2'/>
            </controller>
            <controller type='pci' index='4' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='4' port='0x13'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x3'/>
            </controller>
            <controller type='pci' index='5' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='5' port='0x14'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x4'/>
            </controller>
            <controller type='pci' index='6' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='6' port='0x15'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x5'/>
            </controller>
            <controller type='pci' index='7' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='7' port='0x16'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x6'/>
            </controller>
            <controller type='pci' index='8' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='8' port='0x17'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x7'/>
            </controller>
            <controller type='pci' index='9' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='9' port='0x18'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x0' multifunction='on'/>
            </controller>
            <controller type='pci' index='10' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='10' port='0x19'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x1'/>
            </controller>
            <controller type='pci' index='11' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='11' port='0x1a'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x2'/>
            </controller>
            <controller type='pci' index='12' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='12' port='0x1b'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x3'/>
            </controller>
            <controller type='pci' index='13' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='13' port='0x1c'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x4'/>
            </controller>
            <controller type='pci' index='14' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='14' port='0x1d'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x5'/>
            </controller>
            <controller type='pci' index='15' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='15' port='0x1e'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x6'/>
            </controller>
            <controller type='pci' index='16' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='16' port='0x1f'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x03' function='0x7'/>
            </controller>
            <controller type='pci' index='17' model='pcie-root-port'>
              <model name='pcie-root-port'/>
              <target chassis='17' port='0x20'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x04' function='0x0'/>
            </controller>
            <controller type='sata' index='0'>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x1f' function='0x2'/>
            </controller>
            <interface type='network'>
              <mac address='52:54:00:00:00:01'/>
              <source network='default'/>
              <target dev='vt6ba7b8100'/>
              <model type='virtio'/>
              <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
            </interface>
            <serial type='pty'>
              <log file='/tmp/vmparts/console.log' append='on'/>
              <target type='isa-serial' port='0'>
                <model name='isa-serial'/>
              </target>
            </serial>
            <console type='pty'>
              <log file='/tmp/vmparts/console.log' append='on'/>
              <target type='serial' port='0'/>
            </console>
            <channel type='unix'>
              <target type='virtio' name='org.qemu.guest_agent.0'/>
              <address type='virtio-serial' controller='0' bus='0' port='1'/>
            </channel>
            <input type='tablet' bus='usb'>
              <address type='usb' bus='0' port='1'/>
            </input>
            <input type='mouse' bus='ps2'/>
            <input type='keyboard' bus='ps2'/>
            <graphics type='vnc'>
              <listen type='socket'/>
            </graphics>
            <audio id='1' type='none'/>
            <video>
              <model type='vga' vram='16384' heads='1' primary='yes'/>
              <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>
            </video>
            <memballoon model='virtio' autodeflate='on' freePageReporting='on'>
              <stats period='10'/>
              <address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/>
            </memballoon>
            <rng model='virtio'>
              <backend model='random'>/dev/urandom</backend>
              <address type='pci' domain='0x0000' bus='0x07' slot='0x00' function='0x0'/>
            </rng>
          </devices>
        </domain>
        """#
}
