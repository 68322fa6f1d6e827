// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

/// Changes of definitions that others wrote.
struct DomainEditTests {
    private static let foreign = """
        <domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
          <name>odd</name>
          <uuid>6ba7b810-9dad-41d1-80b4-00c04fd430c8</uuid>
          <!-- an admin's remark -->
          <metadata><app:note xmlns:app="urn:other">keep me</app:note></metadata>
          <memory unit='MiB'>256</memory>
          <vcpu placement='static'>2</vcpu>
          <os><type machine='q35'>hvm</type><bootmenu enable='yes'/></os>
          <cpu mode='host-passthrough'><topology sockets='1' cores='2' threads='1'/><feature policy='disable' name='vmx'/></cpu>
          <devices><watchdog model='i6300esb' action='reset'/><hub type='usb'/></devices>
          <qemu:commandline><qemu:arg value='-no-hpet'/></qemu:commandline>
        </domain>
        """

    private func changed(_ text: String = foreign, _ change: (inout VMPatch) throws -> Void) throws -> String
    {
        var patch = VMPatch()
        try change(&patch)
        let before = try DomainXML(parsing: text)
        var edit = DomainEdit(before)
        if let xml = patch.xml { try edit.replace(with: xml) }
        try edit.apply(patch)
        try edit.apply(patch.xmlPatch ?? [])
        try edit.checkIdentity(against: before)
        return edit.domain.xml
    }

    private func lines(_ text: String) -> Set<String> { Set(text.split(separator: "\n").map(String.init)) }

    @Test func onlyWhatIsAskedForChanges() throws {
        let after = try changed { $0.memoryBytes = try ByteCount("1G") }
        #expect(lines(after).subtracting(lines(Self.foreign)).count == 2, "memory and currentMemory")
        #expect(lines(Self.foreign).subtracting(lines(after)) == ["  <memory unit='MiB'>256</memory>"])
        #expect(try changed { _ in } == Self.foreign)
        #expect(try changed { $0.cpus = 2 } == Self.foreign, "nothing to do")
    }

    @Test func moreCPUsAreMoreSockets() throws {
        let after = try DomainXML(parsing: changed { $0.cpus = 4 })
        #expect(after.vcpusMaximum == 4 && after.vcpusCurrent == nil && after.cpuSockets == 2)
        #expect(throws: Problem.self) { try changed { $0.cpus = 3 } }
        let room = try DomainXML(parsing: changed { $0.maxCpus = 8 })
        #expect(room.vcpusMaximum == 8 && room.vcpusCurrent == 2 && room.cpuSockets == 4)
        #expect(throws: Problem.self) { try changed { $0.maxCpus = 1 } }
    }

    @Test func memoryThatCanGrowNeedsANode() throws {
        let text = try changed { $0.maxMemoryBytes = try ByteCount("2G") }
        let domain = try DomainXML(parsing: text)
        #expect(domain.maxMemoryBytes == 2 << 30 && domain.maxMemorySlots == 16)
        #expect(domain.element[path: "cpu/numa/cell"]?[attribute: "cpus"] == "0-1")
        let more = try DomainXML(parsing: changed(text) { $0.memoryBytes = try ByteCount("1G") })
        #expect(more.element[path: "cpu/numa/cell"]?[attribute: "memory"] == "\(1 << 30)")
        #expect(more.maxMemoryBytes == 2 << 30)
    }

    @Test func firmwareAndTPM() throws {
        let text = try changed {
            $0.firmware = .uefiSecure
            $0.tpm = true
        }
        let domain = try DomainXML(parsing: text)
        #expect(domain.firmware == .uefiSecure && domain.hasTPM && domain.osBootMenu == true)
        let back = try DomainXML(
            parsing: changed(text) {
                $0.firmware = .bios
                $0.tpm = false
            })
        #expect(back.firmware == .bios && !back.hasTPM && back.osLoaderSecure == nil)
    }

    @Test func aCPUModelLeavesTheTopology() throws {
        let domain = try DomainXML(parsing: changed { $0.cpuModel = "qemu64" })
        #expect(domain.cpuModel == "qemu64" && domain.cpuCores == 2)
    }

    @Test func anXPathSetsOnePlace() throws {
        let after = try changed {
            $0.xmlPatch = [XMLPatch(xpath: "//watchdog/@action", value: .init("pause"))]
        }
        #expect(after == Self.foreign.replacingOccurrences("action='reset'", "action='pause'"))
        let removed = try changed { $0.xmlPatch = [XMLPatch(xpath: "//hub", value: .init(""))] }
        #expect(!removed.contains("hub") && removed.contains("watchdog"))
    }

    @Test(arguments: [
        ("//nothing", "finds nothing"), ("//devices/*", "2 places"), ("count(//hub)", "no XPath"),
        ("//[", "no XPath"), ("./name", "the name"), ("./uuid", "the UUID"),
    ])
    func anXPathThatDoesNotIsRefused(_ xpath: String, _ words: String) {
        #expect {
            try changed { $0.xmlPatch = [XMLPatch(xpath: xpath, value: .init("x"))] }
        } throws: { ($0 as? Problem)?.detail.contains(words) == true }
    }

    @Test func aWholeDefinitionIsStillThisVM() throws {
        let other = Self.foreign.replacingOccurrences("<hub type='usb'/>", "")
        #expect(try changed { $0.xml = other } == other)
        for (text, words) in [
            ("<domain><name>other</name></domain>", "the name"), ("<network/>", "<domain>"),
            ("<dom", "xml"),
            (Self.foreign.replacingOccurrences("6ba7b810", "7ba7b810"), "the UUID"),
        ] {
            #expect {
                try changed { $0.xml = text }
            } throws: { ($0 as? Problem)?.detail.contains(words) == true }
        }
    }

    @Test func theDifferenceIsThatOfDiff() {
        let old = (1...12).map { "line \($0)" }.joined(separator: "\n")
        let new = old.replacingOccurrences("line 6\n", "line six\nand more\n")
        let expected = """
            @@ -3,7 +3,8 @@
             line 3
             line 4
             line 5
            -line 6
            +line six
            +and more
             line 7
             line 8
             line 9

            """
        #expect(UnifiedDiff.text(old, new) == expected)
        #expect(UnifiedDiff.text(old, old) == "")
    }

    @Test func whatARunningGuestGetsAtOnce() throws {
        let active = try DomainXML(
            parsing: """
                <domain type='kvm'><maxMemory slots='16' unit='GiB'>4</maxMemory><memory unit='GiB'>1</memory>
                <vcpu current='1'>4</vcpu></domain>
                """)
        func live(_ change: (inout VMPatch) throws -> Void) throws -> [LiveChange] {
            var patch = VMPatch()
            try change(&patch)
            var edit = DomainEdit(active)
            try edit.apply(patch)
            return LiveChange.all(patch, edit.domain, on: active)
        }
        #expect(try live { $0.cpus = 3 } == [.addCPUs(to: 3)])
        #expect(try live { $0.cpus = 5 } == [], "beyond its maximum")
        #expect(try live { $0.memoryBytes = try ByteCount("512M") } == [.memory(512 << 20)])
        #expect(try live { $0.memoryBytes = try ByteCount("2G") } == [.dimm(1 << 30)])
        #expect(try live { $0.memoryBytes = try ByteCount("1100M") } == [], "no whole block")
        #expect(try live { $0.memoryBytes = try ByteCount("8G") } == [], "beyond its maximum")
    }
}

extension String {
    fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String {
        components(separatedBy: old).joined(separator: new)
    }
}
