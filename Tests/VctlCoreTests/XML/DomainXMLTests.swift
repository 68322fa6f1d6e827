// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

/// libvirt's own schema and test driver judge every kind of definition.
struct DomainXMLTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func virsh(_ commands: String...) async throws -> Tool.Answer {
        try await Tool.run("virsh", ["-q", "-c", "test:///default", commands.joined(separator: "; ")])
    }

    @Test(arguments: PlanSamples.all.map(\.name)) func testDriverTakesEveryPlan(_ name: String) async throws {
        var plan = try #require(PlanSamples.all.first { $0.name == name }).plan
        plan.flavor = .test
        let path = try folder.write(plan.domainXML().xml, to: "domain.xml")
        let answer = try await virsh("define --validate \(path)", "start web1", "dumpxml web1")
        #expect(answer.status == 0, "\(answer.errors)")
        let start = try #require(answer.output.range(of: "<domain")).lowerBound
        let live = try DomainXML(parsing: String(answer.output[start...]))
        #expect(Mark(in: live) == plan.mark)
    }

    /// The test driver's own domain type stands in for QEMU's; the schema is the same, and checks the rest.
    @Test(arguments: PlanSamples.all.map(\.name)) func schemaTakesEveryPlan(_ name: String) async throws {
        let plan = try #require(PlanSamples.all.first { $0.name == name }).plan
        var domain = plan.domainXML()
        domain.type = "test"
        domain.osArch = "i686"
        domain.osMachine = nil
        let path = try folder.write(domain.xml, to: "domain.xml")
        let answer = try await virsh("define --validate \(path)")
        #expect(answer.status == 0, "\(answer.errors)")
    }

    @Test func schemaIsReallyAsked() async throws {
        var domain = PlanSamples.plain { $0.flavor = .test }.domainXML()
        domain.element[child: "nonsense"] = Element("nonsense")
        let path = try folder.write(domain.xml, to: "domain.xml")
        #expect(try await virsh("define --validate \(path)").status == 1)
    }

    @Test(arguments: PlanSamples.all.map(\.name)) func planSurvivesTheJournal(_ name: String) throws {
        let plan = try #require(PlanSamples.all.first { $0.name == name }).plan
        let again = try JSONDecoder().decode(DomainPlan.self, from: JSONEncoder().encode(plan))
        #expect(again == plan && again.domainXML().xml == plan.domainXML().xml)
    }

    @Test func everyDiskHasASerialAndDataDisksDiscard() {
        let disks = PlanSamples.all.first { $0.name == "many" }!.plan.domainXML().disks
        #expect(disks.allSatisfy { ($0.serial?.count).map { (1...20).contains($0) } == true })
        #expect(disks.filter { $0.device == "disk" }.allSatisfy { $0.discard == "unmap" })
        // Not where zeroes were written to stay, nor on a block device.
        #expect(disks.map(\.detectZeroes) == ["unmap", nil, nil, "unmap", nil, nil, nil])
        #expect(disks.map(\.type) == ["file", "block", "file", "file", "file", "file", "file"])
        #expect(disks[1].sourceDev == "/dev/vg/lv")
        #expect(disks[4].targetBus == "scsi" && disks[4].readonly && disks[5].targetBus == "sata")
    }

    @Test func eightPortsStayFree() {
        for plan in PlanSamples.all.map(\.plan) where plan.machine == "q35" {
            let domain = plan.domainXML()
            let ports = domain.controllers.count { $0.model == "pcie-root-port" }
            let virtio = domain.disks.count { $0.targetBus == "virtio" }
            #expect(ports == 5 + virtio + domain.interfaces.count + 8)
        }
    }

    @Test func hardwareIsWhatLaterWorkStandsOn() {
        let domain = PlanSamples.plain().domainXML()
        #expect(domain.osMachine == "q35" && domain.cpuMode == "maximum" && domain.type == "qemu")
        #expect(domain.controllers.contains { $0.type == "scsi" && $0.model == "virtio-scsi" })
        #expect(domain.channels.first?.targetName == "org.qemu.guest_agent.0")
        #expect(
            domain.serials.first?.logFile == "/var/log/vctl/web1.log"
                && domain.serials.first?.logAppend == true)
        #expect(domain.interfaces.first?.targetDev == "vt6ba7b8100")
        #expect(domain.rngs.count == 1 && domain.memballoon?.freePageReporting == true)
        #expect(domain.graphics.first?.listenType == "socket")
        #expect(PlanSamples.plain { $0.accelerator = .kvm }.domainXML().cpuMode == "host-passthrough")
    }

    @Test func memoryGrowsOnlyWhereAsked() throws {
        let plain = PlanSamples.plain().domainXML()
        #expect(
            plain.maxMemoryBytes == nil && plain.element.first("cpu/numa") == nil && plain.vcpusCurrent == nil
        )
        let growable = PlanSamples.plain { ($0.maxCpus, $0.maxMemoryBytes) = (8, 8 << 30) }.domainXML()
        #expect(growable.maxMemoryBytes == 8 << 30 && growable.memoryBytes == 2 << 30)
        #expect(growable.vcpusMaximum == 8 && growable.vcpusCurrent == 2)
        #expect(growable.element.first("cpu/numa/cell")?[attribute: "cpus"] == "0-7")
    }
}
