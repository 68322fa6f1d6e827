// SPDX-License-Identifier: Apache-2.0
import Testing
import VirtXML

/// One edit of a fixture and exactly the lines that it changes.
struct Edit<View: DocumentView>: Sendable, CustomTestStringConvertible {
    let fixture: String
    let change: @Sendable (inout View) -> Void
    let lines: [String]
    var testDescription: String { fixture + ": " + lines.joined(separator: " | ") }

    init(_ fixture: String, _ lines: [String], _ change: @escaping @Sendable (inout View) -> Void) {
        self.fixture = fixture
        self.lines = lines
        self.change = change
    }

    func check() throws {
        let text = try Fixture.text(fixture + ".xml")
        var view = try View(parsing: text)
        change(&view)
        #expect(changedLines(text, view.xml).sorted() == lines.sorted())
        _ = try Document(parsing: view.xml)
    }
}

@Suite struct EditTests {
    @Test func theSameValueChangesNothing() throws {
        for name in Fixture.all where name.hasPrefix("domain-") {
            let text = try Fixture.text(name)
            var domain = try DomainXML(parsing: text)
            domain.name = domain.name
            domain.memoryBytes = domain.memoryBytes
            domain.maxMemoryBytes = domain.maxMemoryBytes
            domain.vcpusMaximum = domain.vcpusMaximum
            domain.disks = domain.disks
            domain.interfaces = domain.interfaces
            domain.serials = domain.serials
            domain.osBootDevices = domain.osBootDevices
            domain.acpi = domain.acpi
            domain.hugepages = domain.hugepages
            domain.qemuArguments = domain.qemuArguments
            #expect(domain.xml == text, "\(name)")
        }
    }

    @Test func settingAndClearingLeavesNothing() throws {
        let text = try Fixture.text("domain-minimal.xml")
        var domain = try DomainXML(parsing: text)
        domain.title = "t"
        domain.cpuCores = 4
        domain.memoryAccess = "shared"
        domain.emulator = "/bin/true"
        domain.osBootDevices = ["hd", "network"]
        domain.disks = [DiskXML(), DiskXML()]
        domain.smm = true
        domain.pae = true
        domain.maxMemoryBytes = 1 << 30
        #expect(changedLines(text, domain.xml).allSatisfy { $0.hasPrefix("+") })
        domain.title = nil
        domain.cpuCores = nil
        domain.memoryAccess = nil
        domain.emulator = nil
        domain.osBootDevices = []
        domain.disks = []
        domain.smm = nil
        domain.pae = false
        domain.maxMemoryBytes = nil
        #expect(domain.xml == text)
    }

    @Test func newElementsStandWhereLibvirtWritesThem() throws {
        var domain = try Fixture.domain("domain-minimal.xml")
        domain.onCrash = "restart"
        domain.uuid = "u"
        domain.vcpusMaximum = 2
        domain.title = "t"
        domain.emulator = "/e"
        domain.disks = [DiskXML()]
        domain.cpuMode = "maximum"
        let order = ["name", "uuid", "title", "memory", "vcpu", "os", "cpu", "on_crash", "devices"]
        #expect(domain.element.elements.map(\.name) == order)
        #expect(
            domain.xml.contains(
                "\n  <devices>\n    <emulator>/e</emulator>\n    <disk/>\n  </devices>\n</domain>"))
    }

    @Test func aDomainFromNothing() throws {
        var domain = DomainXML()
        domain.type = "kvm"
        domain.name = "web"
        domain.memoryBytes = 2 << 30
        domain.vcpusMaximum = 2
        var disk = DiskXML()
        disk.type = "block"
        disk.sourcePath = "/dev/vg0/web"
        disk.targetDev = "vda"
        disk.readonly = true
        domain.disks.append(disk)
        #expect(
            domain.xml == """
                <domain type='kvm'>
                  <name>web</name>
                  <memory unit='KiB'>2097152</memory>
                  <vcpu>2</vcpu>
                  <devices>
                    <disk type='block'>
                      <source dev='/dev/vg0/web'/>
                      <target dev='vda'/>
                      <readonly/>
                    </disk>
                  </devices>
                </domain>

                """)
    }

    @Test func compactDocumentsStayCompact() throws {
        var domain = try Fixture.domain("odd-compact.xml")
        domain.uuid = "u"
        domain.disks[0].targetBus = "sata"
        domain.disks.append(DiskXML())
        #expect(!domain.xml.dropLast().contains("\n"))
        #expect(domain.xml.contains("<name>c</name><uuid>u</uuid>"))
    }

    @Test func paths() throws {
        var document = try Document(parsing: Fixture.text("domain-q35.xml"))
        let cdrom = Path("devices").child("disk", where: "@device", equals: "cdrom")
        let byTarget = Path("devices").child("disk", where: "target/@dev", equals: "sda")
        #expect(document.root.first(cdrom)?[text: "serial"] == "seed")
        #expect(document.root.first(byTarget)?[text: "serial"] == "web1-root")
        #expect(document.root.all("devices/controller").count == 5)
        #expect(byTarget.description == "devices/disk[target/@dev='sda']")
        #expect(document.root.edit(cdrom.child("source")) { $0[attribute: "file"] = "/new.iso" } == 1)
        #expect(document.root.remove(byTarget) == 1)
        #expect(document.root.all("devices/disk").map { $0[text: "serial"] } == ["seed"])
        #expect(document.root.first("devices/disk/source")?[attribute: "file"] == "/new.iso")
        document.root[path: "a/b/c"] = Element("c", ["x": "1"])
        #expect(
            document.serialized().hasSuffix("  <a>\n    <b>\n      <c x='1'/>\n    </b>\n  </a>\n</domain>\n")
        )
        document.root[path: "a"] = nil
        #expect(document.root.remove("no/such") == 0)
    }

    @Test func removingFromMixedContentJoinsTheText() throws {
        var document = try Document(parsing: "<a>one<b/>two<c/> <d/></a>")
        document.root[child: "b"] = nil
        #expect(document.root.children.first == .text(Text("onetwo")))
        document.root[child: "d"] = nil
        #expect(try Document(parsing: document.serialized()) == document)
    }
}
