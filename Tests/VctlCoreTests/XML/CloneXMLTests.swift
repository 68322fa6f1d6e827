// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

@Suite struct CloneXMLTests {
    private static let source = ObjectID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")!

    private static let text = """
        <domain type='kvm'>
          <name>web</name><uuid>\(source)</uuid><genid>43dc0cf8-809b-4adb-9bea-a9abb5f3d90e</genid>
          <title>kept</title>
          <metadata><app:note xmlns:app='urn:other'>kept</app:note></metadata>
          <memory unit='KiB'>1024</memory>
          <sysinfo type='smbios'><system><entry name='uuid'>\(source)</entry></system></sysinfo>
          <os firmware='efi'><type>hvm</type><nvram>/var/nvram/web_VARS.fd</nvram></os>
          <devices>
            <disk type='block' device='disk'><driver name='qemu' type='raw' cache='none'/>
              <source dev='/dev/vg/web'/><target dev='vda' bus='virtio'/><wwn>5000c50015ea71aa</wwn></disk>
            <disk type='file' device='cdrom'><source file='/seeds/old/seed.iso'/><target dev='sda'/></disk>
            <disk type='file'><source file='/srv/shared.raw'/><target dev='vdb'/><shareable/></disk>
            <interface type='network'><mac address='52:54:00:AA:00:01'/><source network='default'/>
              <target dev='vtweb0'/><model type='virtio'/></interface>
            <interface type='direct'><mac address='52:54:00:aa:00:02'/><source dev='eth0'/></interface>
            <serial type='pty'><log file='/logs/old.log' append='on'/></serial>
            <channel type='unix'><source mode='bind' path='/run/web.agent'/>
              <target type='virtio' name='a'/></channel>
            <graphics type='vnc' port='5901' autoport='no' passwd='geheim'/>
            <vsock><cid auto='no' address='4'/></vsock>
            <watchdog model='i6300esb' action='reset'/>
          </devices>
        </domain>
        """

    private static func plan() throws -> ClonePlan {
        let mark = Mark(instance: ObjectID(), id: ObjectID())
        let volume = NewVolume(
            id: ObjectID(), path: "/pool/copy.qcow2", format: .qcow2, sizeBytes: 1, preallocation: .off)
        var plan = ClonePlan(
            source: ObjectReference(kind: .vm, id: source, name: "web"), mark: mark, name: "copy",
            description: nil, disks: [.init(target: "vda", volume: volume)],
            nics: [
                .init(from: "52:54:00:aa:00:01", mac: "52:54:00:bb:00:01", tap: "vtcopy0"),
                .init(from: "52:54:00:aa:00:02", mac: "52:54:00:bb:00:02", tap: "vtcopy1"),
            ], consoleLog: "/logs/new.log")
        plan.variables = "/var/nvram/copy_VARS.fd"
        plan.seed = .init(target: "sda", path: "/seeds/new/seed.iso")
        return plan
    }

    @Test func nothingIsShared() throws {
        let plan = try Self.plan()
        let clone = try plan.definition(from: DomainXML(parsing: Self.text))
        let xml = clone.xml
        for old in [
            Self.source.rawValue, "43dc0cf8", "/dev/vg/web", "5000c500", "AA:00:01", "aa:00:02", "vtweb0",
            "/logs/old.log", "/run/web.agent", "5901", "address='4'", "web_VARS", "seeds/old",
        ] {
            #expect(!xml.contains(old), "\(old) is the other one's")
        }
        #expect(clone.uuid == plan.id.rawValue && clone.name == "copy")
        #expect(clone.disks[0].type == "file" && clone.disks[0].driverType == "qcow2")
        #expect(
            clone.disks[0].sourcePath == "/pool/copy.qcow2"
                && clone.disks[1].sourcePath == "/seeds/new/seed.iso")
        #expect(clone.interfaces.map(\.mac) == ["52:54:00:bb:00:01", "52:54:00:bb:00:02"])
        #expect(clone.interfaces.map(\.targetDev) == ["vtcopy0", nil])
        #expect(xml.contains("cid auto='yes'") && xml.contains("autoport='yes'"))
    }

    @Test func theRestIsAsItWas() throws {
        let xml = try Self.plan().definition(from: DomainXML(parsing: Self.text)).xml
        for kept in [
            "<title>kept</title>", ">kept</app:note>", "cache='none'", "/srv/shared.raw", "<shareable/>",
            "passwd='geheim'", "<watchdog model='i6300esb' action='reset'/>", "<source dev='eth0'/>",
            "append='on'",
        ] {
            #expect(xml.contains(kept), "\(kept) is gone")
        }
    }

    @Test func whatChangedMeanwhileIsNotGuessed() throws {
        let plan = try Self.plan()
        let more = Self.text.replacing(
            "<watchdog",
            with: "<disk type='file'><source file='/new'/><target dev='vdz'/></disk><watchdog")
        let fewer = Self.text.replacing("target dev='vda'", with: "target dev='vdc'")
        let other = Self.text.replacing("AA:00:01", with: "AA:00:09")
        for text in [more, fewer, other] {
            #expect(throws: Problem.self) { try plan.definition(from: DomainXML(parsing: text)) }
        }
    }

    @Test func aDiskThatIsWrittenByOneIsItsOwn() throws {
        func disk(_ type: String, _ more: String) throws -> DiskXML {
            let disk = "<disk type='\(type)' \(more)<target dev='vdz'/></disk>"
            let domain = try DomainXML(parsing: "<domain><devices>\(disk)</devices></domain>")
            return try #require(domain.disks.first)
        }
        for (type, more) in [
            ("volume", "><source pool='default' volume='data'/>"),
            ("nvme", "><source type='pci' namespace='1'><address bus='0x01'/></source>"),
            ("vhostuser", "><source type='unix' path='/run/blk'/>"), ("network", "><source protocol='nbd'/>"),
            ("block", "device='lun'><source dev='/dev/sdb'/>"), ("file", "><source file='/a'/>"),
        ] {
            #expect(ClonePlan.isOwn(try disk(type, more)), "\(type) \(more)")
        }
        for more in [
            "><source file='/a'/><readonly/>", "><source file='/a'/><shareable/>",
            "device='cdrom'><source file='/a'/>", "device='floppy'><source file='/a'/>", "device='cdrom'>",
        ] {
            #expect(!ClonePlan.isOwn(try disk("file", more)), "\(more)")
        }
    }

    @Test func memoryInAFileIsNotShared() throws {
        func text(_ target: String) -> String {
            let memory = "<memory model='nvdimm'><source><path>/srv/pmem</path></source>\(target)</memory>"
            return Self.text.replacing("<watchdog", with: "\(memory)<watchdog")
        }
        let plan = try Self.plan()
        let problem = #expect(throws: Problem.self) {
            try plan.definition(from: DomainXML(parsing: text("<target/>")))
        }
        #expect(problem?.detail.contains("/srv/pmem") == true)
        _ = try plan.definition(from: DomainXML(parsing: text("<target><readonly/></target>")))
    }

    @Test func variablesAreNeverShared() throws {
        var plan = try Self.plan()
        let file = "<nvram type='file'><source file='/var/nvram/web_VARS.fd'/></nvram>"
        let nvram = "<nvram>/var/nvram/web_VARS.fd</nvram>"
        let spelled = try plan.definition(from: DomainXML(parsing: Self.text.replacing(nvram, with: file)))
        #expect(spelled.osNvram == plan.variables && !spelled.xml.contains("web_VARS"))
        plan.nvram = .init(from: "/var/nvram/web_VARS.fd", to: "/var/nvram/copy_VARS.fd")
        _ = try plan.definition(from: DomainXML(parsing: Self.text))
        let bios = Self.text.replacing(" firmware='efi'", with: "").replacing(nvram, with: "")
        let secure = Self.text.replacing("web_VARS", with: "web-secure_VARS")
        let there = "<nvram type='network'><source protocol='nbd'/></nvram>"
        let remote = Self.text.replacing(nvram, with: there)
        for text in [bios, secure, remote] {
            #expect(throws: Problem.self) { try plan.definition(from: DomainXML(parsing: text)) }
        }
        (plan.variables, plan.nvram) = (nil, nil)
        let problem = #expect(throws: Problem.self) {
            try plan.definition(from: DomainXML(parsing: Self.text))
        }
        #expect(problem?.detail.contains("firmware") == true)
        _ = try plan.definition(from: DomainXML(parsing: bios))
    }
}
