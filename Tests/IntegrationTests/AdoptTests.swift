// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VctlClient

extension RealGuests {
    /// Domains that others defined, taken over, changed and given back.
    @Suite(.hosted("adopt"))
    struct Adoption {
        /// More than ten kinds of elements that vctl does not model.
        private static let odd = """
            <domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
              <name>odd</name><title>An odd one</title>
              <metadata><app:note xmlns:app='urn:other'>keep me</app:note></metadata>
              <memory unit='MiB'>256</memory><blkiotune><weight>500</weight></blkiotune>
              <vcpu>2</vcpu><cputune><shares>512</shares></cputune>
              <sysinfo type='smbios'><bios><entry name='vendor'>LENOVO</entry></bios></sysinfo>
              <os><type arch='x86_64' machine='q35'>hvm</type><smbios mode='sysinfo'/>
              <bootmenu enable='yes' timeout='10'/></os>
              <features><acpi/><apic/><pmu state='off'/><vmcoreinfo state='on'/></features>
              <cpu mode='maximum'><topology sockets='1' dies='1' cores='2' threads='1'/></cpu>
              <clock offset='variable' adjustment='3600' basis='utc'/><on_crash>preserve</on_crash>
              <devices><watchdog model='i6300esb' action='reset'/><panic model='isa'/>
              <sound model='ich9'/><hub type='usb'/><input type='keyboard' bus='usb'/>
              <parallel type='null'/><memballoon model='virtio'><stats period='7'/></memballoon></devices>
              <qemu:commandline><qemu:env name='FOO' value='bar'/></qemu:commandline>
            </domain>
            """

        @Test func nothingChangesButWhatIsAskedFor() throws {
            let lab = try Lab.current
            let before = try start(lab)
            try lab.must("vm", "adopt", "odd", "--label", "from=virsh")
            #expect(try lab.vm("odd").managed && lab.vm("odd").labels == ["from": "virsh"])
            #expect(try withoutMark(dump(lab)) == before)
            try lab.must("vm", "set", "odd", "--label", "a=b")
            let preview = try lab.must("vm", "set", "odd", "--memory", "512M", "--dry-run").out
            #expect(preview.contains("+  <memory unit='KiB'>524288</memory>"), "\(preview)")
            #expect(try withoutMark(dump(lab)) == before)
            let set = try lab.must("vm", "set", "odd", "--memory", "512M")
            #expect(set.err.contains("waits for the next start"), "\(set)")
            let pending = try lab.vm("odd").pending
            #expect(pending?["memoryBytes"] == "\(512 << 20)", "\(String(describing: pending))")
            try lab.must("vm", "release", "odd")
            let after = try dump(lab)
            #expect(after.filter { !before.contains($0) }.allSatisfy { $0.contains("emory") })
            #expect(before.filter { !after.contains($0) }.count == 2 && !after.joined().contains("vctl"))
            #expect(try lab.vm("odd").managed == false)
            try lab.must("vm", "stop", "odd", "--force")
            try lab.virsh("undefine", "odd")
        }

        private func start(_ lab: Lab) throws -> [String] {
            try lab.virsh("define", lab.write("odd.xml", Self.odd))
            try lab.virsh("start", "odd")
            try eventually("it is seen") {
                try lab.vms().contains { $0.name == "odd" && $0.state == .running }
            }
            return try dump(lab)
        }

        private func dump(_ lab: Lab) throws -> [String] {
            try lab.virsh("dumpxml", "--inactive", "odd").lines
        }

        private func withoutMark(_ lines: [String]) -> [String] {
            guard let first = lines.firstIndex(where: { $0.contains("<vctl:object") }),
                let last = lines.firstIndex(where: { $0.contains("</vctl:object") })
            else { return lines }
            return Array(lines[..<first] + lines[(last + 1)...])
        }

        @Test func whatCannotBeAdoptedIsExplained() throws {
            let lab = try Lab.current
            try lab.virsh("create", lab.write("passing.xml", Foreign.domain("passing")))
            try eventually("it is seen") { try lab.vms().contains { $0.name == "passing" } }
            let transient = try lab.vctl("vm", "adopt", "passing")
            #expect(transient.status == 4 && transient.err.contains("virsh define"), "\(transient)")
            try lab.virsh("destroy", "passing")
            let marked = Foreign.domain("marked").replacingOccurrences(
                of: "<devices/>",
                with: """
                    <metadata><vctl:object xmlns:vctl='urn:vctl:1'
                    instance='6ba7b810-9dad-41d1-80b4-00c04fd430c8'
                    id='6ba7b810-9dad-41d1-80b4-00c04fd430c9'/></metadata><devices/>
                    """)
            try lab.virsh("define", lab.write("marked.xml", marked))
            try eventually("it is seen") { try lab.vms().contains { $0.name == "marked" } }
            let refused = try lab.vctl("vm", "adopt", "marked")
            #expect(refused.status == 4 && refused.err.contains("--force"), "\(refused)")
            try lab.must("vm", "adopt", "marked", "--force")
            #expect(try lab.vm("marked").managed)
            try lab.must("vm", "delete", "marked", "--yes")
            #expect(try lab.vctl("vm", "release", "nobody").status == 3)
        }

        @Test func twoChangesAtOnceLoseNothing() throws {
            let lab = try Lab.current
            try lab.create("both", "--no-start", "--network", "none")
            let etag = try etag(lab, "both")
            try lab.must("vm", "set", "both", "--cpus", "2")
            let stale = try lab.curl(
                "--request", "PATCH", "--header", "Content-Type: application/merge-patch+json", "--header",
                "If-Match: \(etag)", "--data", #"{"memoryBytes":268435456}"#, "--write-out", "%{http_code}",
                "http://vctl/v1/vms/both")
            #expect(stale.out.hasSuffix("412"), "\(stale)")
            try lab.virsh("setmaxmem", "both", "300M", "--config")
            try lab.must("vm", "set", "both", "--cpus", "3")
            let now = try lab.virsh("dumpxml", "both").out
            #expect(now.contains("<memory unit='KiB'>307200</memory>"), "virsh's change is kept")
            #expect(now.contains(">3</vcpu>"))
            try lab.remove("both")
        }

        private func etag(_ lab: Lab, _ name: String) throws -> String {
            let head = try lab.curl("--include", "http://vctl/v1/vms/\(name)").out
            let line = head.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("etag:") }
            return String(try #require(line).dropFirst(5)).trimmingCharacters(in: .whitespaces)
        }

        @Test func theXMLIsChangedByHand() throws {
            let lab = try Lab.current
            try lab.create("hand", "--no-start", "--network", "none")
            try lab.must("vm", "set", "hand", "--xml-patch", "./devices/video/model/@type=virtio")
            #expect(try lab.virsh("dumpxml", "hand").out.contains("<model type='virtio'"))
            for (patch, words) in [
                ("./nothing=1", "finds nothing"), ("//controller/@index=7", "places"),
                ("./devices/video/model/@type=nonsense", "libvirt refuses"), ("./name=other", "vm rename"),
            ] {
                let refused = try lab.vctl("vm", "set", "hand", "--xml-patch", patch)
                #expect(refused.status == 64 && refused.err.contains(words), "\(refused)")
            }
            let xml = try lab.virsh("dumpxml", "hand").out.replacingOccurrences(
                of: "<on_crash>destroy", with: "<on_crash>restart")
            try lab.must("vm", "set", "hand", "--xml", "-", input: xml)
            #expect(try lab.virsh("dumpxml", "hand").out.contains("<on_crash>restart"))
            #expect(try lab.vm("hand").managed)
            try lab.remove("hand")
        }

        @Test func aRunningGuestGetsWhatItCanHaveNow() throws {
            let lab = try Lab.current
            // A Linux that can get more memory keeps 64 MiB of what it has for bounce buffers.
            try lab.create(
                "live", "--cpus", "1", "--max-cpus", "4", "--memory", "256M", "--max-memory", "1G",
                "--network", "none", "--wait-for", "agent", "--timeout", "4m")
            let set = try lab.must("vm", "set", "live", "--cpus", "2", "--memory", "512M")
            #expect(!set.err.contains("waits"), "\(set)")
            #expect(try lab.virsh("vcpucount", "live", "--live", "--active").text == "2")
            #expect(try lab.vm("live").cpus == 2 && lab.vm("live").pending == nil)
            let fewer = try lab.must("vm", "set", "live", "--cpus", "1")
            #expect(fewer.err.contains("cpus=1"), "\(fewer)")
            #expect(try lab.vm("live").pending?["cpus"] == "1")
            try lab.remove("live")
        }

        @Test func secureBootAndATPM() throws {
            let lab = try Lab.current
            try lab.create("secure", "--firmware", "uefi-secure", "--tpm", "--network", "none")
            let vm = try lab.vm("secure")
            #expect(vm.state == .running && vm.firmware == .uefiSecure && vm.tpm == true)
            let xml = try lab.must("vm", "xml", "secure").out
            #expect(xml.contains("secure='yes'") && xml.contains("<tpm model='tpm-crb'>"))
            try lab.must("vm", "set", "secure", "--firmware", "bios", "--no-tpm")
            #expect(try lab.vm("secure").pending?["firmware"] == "bios")
            try lab.remove("secure")
        }
    }
}
