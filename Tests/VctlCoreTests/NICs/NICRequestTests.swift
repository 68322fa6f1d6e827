// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

/// Requests about NICs, up to what is decided.
struct NICRequestTests {
    private static let mac = "52:54:00:00:00:01"

    private func problems(_ change: (inout NICSpec) throws -> Void) throws -> [String] {
        var spec = NICSpec(network: .name("default"))
        try change(&spec)
        return NICRules.problems(spec, cpus: 2) { $0 }.map(\.field)
    }

    @Test func whatCannotBeIsNamed() throws {
        #expect(try problems { _ in } == [])
        #expect(try problems { $0.queues = 2 } == [])
        #expect(try problems { $0.queues = 3 } == ["queues"])
        #expect(try problems { $0.queues = 257 } == ["queues", "queues"])
        #expect(try problems { ($0.queues, $0.model) = (2, "e1000e") } == ["queues"])
        #expect(try problems { $0.model = "ne2k" } == ["model"])
        #expect(try problems { $0.boot = 0 } == ["boot"])
        #expect(try problems { $0.bridge = try LinkName(checking: "br0") } == ["network"])
        #expect(try problems { $0.network = nil } == ["network"])
        let low = RateLimit(average: try BitRate("10M"), peak: try BitRate("1M"), burst: try ByteCount("100"))
        #expect(
            try problems { $0.inbound = low } == ["inbound.peakBitsPerSecond", "inbound.burstBytes"])
    }

    private func bench() async throws -> (Bench, Core) {
        let bench = try await Bench()
        let core = try await bench.core()
        try await bench.make("web", on: core) { create in
            create.cpus = 2
            var nic = NICSpec(network: .name("default"))
            nic.mac = Self.mac
            nic.boot = 1
            nic.mtu = try? MTU(checking: 1400)
            create.networks = [nic]
        }
        return (bench, core)
    }

    @Test func aNewVMHasWhatWasSaid() async throws {
        let (bench, core) = try await bench()
        let vm = try await core.vms.row(.name("web")).value()
        #expect(vm.nics.first?.mtu == 1400 && vm.nics.first?.boot == 1 && vm.nics.first?.link == true)
        let id = try await core.vms.row(.name("web")).id
        let domain = try await DomainEffects(environment: core.environment).existing(id)
        let definition = try DomainXML(parsing: try await domain.xml(.inactive))
        #expect(definition.disks.first?.bootOrder == 2, "its disk moved back")
        _ = bench
        try core.inventory.close()
    }

    @Test func aDryRunShowsTheDifference() async throws {
        let (bench, core) = try await bench()
        var patch = VMNICPatch()
        patch.queues = Removable(2)
        patch.boot = Removable<Int>(nil)
        var context = bench.context("vm.nic.set")
        context.dryRun = true
        let reply = try await core.vms.setNIC(.name("web"), Self.mac, patch, context)
        guard case .preview(let preview) = reply else { throw Problem(.internalError, "\(reply)") }
        let diff = try #require(preview.xmlDiff)
        #expect(
            diff.contains("+      <driver queues='2'/>") && diff.contains("-      <boot order='1'/>"),
            "\(diff)")
        #expect(!diff.contains("+      <boot"), "\(diff)")
        #expect(try await core.vms.row(.name("web")).value().nics.first?.queues == nil)
        try core.inventory.close()
    }

    private func refusal(
        _ core: Core, _ bench: Bench, caller: Role = .admin, _ change: (inout VMNICPatch) throws -> Void
    ) async throws -> Problem? {
        var patch = VMNICPatch()
        try change(&patch)
        let who = Caller(uid: 1, user: "ann", pid: 1, role: caller)
        let context = RequestContext(caller: who, action: "vm.nic.set")
        do {
            _ = try await core.vms.setNIC(.name("web"), Self.mac, patch, context)
            return nil
        } catch let problem as Problem {
            return problem
        }
    }

    @Test func whatTheHostCannotDoIsRefusedBeforehand() async throws {
        let (bench, core) = try await bench()
        let before = try await bench.world(core)
        let tag = try await refusal(core, bench) { $0.vlan = Removable(try VLANID(checking: 5)) }
        #expect(tag?.errors?.first?.field == "vlan" && tag?.detail.contains("default") == true)
        let none = try await refusal(core, bench) { $0.bridge = try LinkName(checking: "nowhere0") }
        #expect(none?.errors?.first?.field == "bridge")
        let operators = try await refusal(core, bench, caller: .operate) {
            $0.bridge = try LinkName(checking: "nowhere0")
        }
        #expect(operators?.errorCode == .permissionDenied)
        let queues = try await refusal(core, bench) { $0.queues = Removable(3) }
        #expect(queues?.errors?.first?.field == "queues")
        let nothing = try await refusal(core, bench) { _ in }
        #expect(nothing?.errorCode == .requestInvalid)
        let network = try await refusal(core, bench) { $0.network = .name("moon") }
        #expect(network?.errorCode == .networkNotFound)
        #expect(try await bench.world(core) == before)
        try core.inventory.close()
    }

    @Test func bridgesAreReadFromSysfs() throws {
        let folder = try TemporaryFolder()
        for (name, filtering) in [("br0", "0\n"), ("br1", "1\n")] {
            let path = "\(folder.path)/\(name)/bridge"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try filtering.write(toFile: "\(path)/vlan_filtering", atomically: true, encoding: .utf8)
        }
        let links = LinkFiles(folder: folder.path)
        #expect(links.isBridge("br0") && !links.isBridge("eth0"))
        #expect(links.isVLANAware("br1") && !links.isVLANAware("br0") && !links.isVLANAware("eth0"))
    }
}
