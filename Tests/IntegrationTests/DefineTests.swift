// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// VMs of definitions that somebody wrote.
    @Suite(.hosted("define"))
    struct Definitions {
        private static let odd = """
            <domain type='qemu'><name>any</name><title>An odd one</title>
            <metadata><app:note xmlns:app='urn:other'>keep me</app:note></metadata>
            <memory unit='MiB'>128</memory><vcpu>1</vcpu>
            <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
            <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
            <source file='DISK'/><target dev='vda' bus='virtio'/></disk>
            <watchdog model='i6300esb' action='reset'/>
            <graphics type='vnc' passwd='sesame1'/></devices></domain>
            """

        private func disk(_ lab: Lab) throws -> String {
            let path = "/var/lib/libvirt/images/theirs.qcow2"
            try lab.inside("qemu-img", "create", "-q", "-f", "qcow2", path, "8M")
            return path
        }

        @Test func aDefinitionIsTakenAsItIs() throws {
            let lab = try Lab.current
            let disk = try disk(lab)
            let xml = Self.odd.replacingOccurrences(of: "DISK", with: disk)
            let preview = try lab.must("vm", "create", "given", "--xml", "-", "--dry-run", input: xml)
            #expect(preview.out.contains("define domain"), "\(preview)")
            #expect(try lab.domains().contains("given") == false)
            try lab.must("vm", "create", "given", "--xml", "-", "--label", "a=b", input: xml)
            let vm = try lab.vm("given")
            #expect(vm.managed && vm.state == .running && vm.labels == ["a": "b"])
            let dump = try lab.virsh("dumpxml", "--security-info", "given").out
            for part in ["An odd one", "keep me", "i6300esb", disk, "passwd='sesame1'"] {
                #expect(dump.contains(part), "\(part)")
            }
            #expect(try !lab.operations().contains { "\($0)".contains("sesame1") })
            #expect(lab.list("\(lab.state)/secrets").allSatisfy { !$0.hasSuffix(".xml") })
            try refusals(lab, xml, vm)
            try lab.must("vm", "delete", "given", "--yes")
            #expect(lab.list(lab.pool).contains("theirs.qcow2"), "it was not made by vctl")
        }

        private func refusals(_ lab: Lab, _ xml: String, _ vm: VM) throws {
            let uuid = xml.replacingOccurrences(of: "<title>", with: "<uuid>\(vm.id)</uuid><title>")
            let cases: [(String, Int32, String)] = [
                (xml, 4, "is used by VM given"), (uuid, 4, "take <uuid> out"), ("<network/>", 64, "xml:"),
                ("<domain", 64, "xml:"),
            ]
            for (text, status, words) in cases {
                let refused = try lab.vctl("vm", "create", "second", "--xml", "-", input: text)
                #expect(refused.status == status && refused.err.contains(words), "\(refused)")
            }
            let both = try lab.vctl("vm", "create", "second", "--xml", "-", "--memory", "1G", input: xml)
            #expect(both.status == 64 && both.err.contains("memoryBytes"), "\(both)")
        }

        @Test func whatLibvirtRefusesLeavesNothing() throws {
            let lab = try Lab.current
            let xml = Foreign.domain("x").replacingOccurrences(
                of: "<devices/>", with: "<devices><video><model type='nonsense'/></video></devices>")
            let refused = try lab.vctl("vm", "create", "bad", "--xml", "-", input: xml)
            #expect(refused.status == 1 && refused.err.contains("libvirt refuses"), "\(refused)")
            #expect(try lab.vctl("vm", "show", "bad").status == 3)
            #expect(lab.list("\(lab.state)/secrets").allSatisfy { !$0.hasSuffix(".xml") })
        }

        @Test func whatWasPrintedCanBeReadBack() throws {
            let lab = try Lab.current
            try lab.create("again", "--network", "none", "--no-start", "--label", "a=b")
            let xml = try lab.must("vm", "xml", "again").out
            let id = try lab.vm("again").id
            try lab.must("vm", "delete", "again", "--keep-disks", "--yes")
            try lab.must("vm", "create", "again", "--xml", "-", "--no-start", input: xml)
            let vm = try lab.vm("again")
            #expect(vm.id == id && vm.state == .stopped && vm.managed && vm.labels == ["a": "b"])
            let disk = try #require(vm.disks.first { $0.role == "root" }?.path)
            try lab.must("vm", "delete", "again", "--yes")
            #expect(try lab.inside("test", "-e", disk).status != 0, "vctl made it, and its mark says so")
        }
    }
}
