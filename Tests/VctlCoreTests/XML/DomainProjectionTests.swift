// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

struct DomainProjectionTests {
    private let time = Timestamp(milliseconds: 1000)

    private func project(_ view: DomainView) -> DomainProjection {
        DomainProjection(view, instance: PlanSamples.instance, observedAt: time)
    }

    private func view(
        _ state: DomainState, _ reason: Int32 = 1, _ change: (inout DomainView) -> Void = { _ in }
    ) -> DomainView {
        var view = DomainView(id: PlanSamples.id, name: "web1", status: .init(state: state, reason: reason))
        change(&view)
        return view
    }

    @Test func definitionIsShown() throws {
        let plan = PlanSamples.all.first { $0.name == "described" }!.plan
        let vm = project(view(.shutoff) { $0.inactiveXML = plan.domainXML().xml }).vm
        #expect(vm.id == plan.id && vm.managed && vm.state == .stopped && vm.stateReason == "shutdown")
        #expect(vm.cpus == 2 && vm.memoryBytes == 2 << 30 && vm.maxCpus == 2 && vm.maxMemoryBytes == nil)
        #expect(
            vm.labels == plan.labels && vm.image == plan.image && vm.protected
                && vm.createdAt == plan.createdAt)
        #expect(vm.description == plan.description && vm.machine == "q35")
        #expect(vm.accelerator == .tcg && vm.firmware == .bios && vm.pending == nil && vm.observedAt == time)
        let disk = try #require(vm.disks.first)
        #expect(disk.target == "vda" && disk.role == "root" && disk.format == "qcow2" && disk.bus == "virtio")
        #expect(disk.path == plan.disks[0].path && disk.serial == plan.disks[0].serial && !disk.readOnly)
        #expect(vm.nics.first?.tap == plan.nics[0].tap && vm.nics.first?.network == "default")
    }

    @Test func rolesComeFromTheMark() {
        let plan = PlanSamples.all.first { $0.name == "many" }!.plan
        let vm = project(view(.shutoff) { $0.inactiveXML = plan.domainXML().xml }).vm
        #expect(vm.disks.map(\.role) == ["root", "data", "data", "data", "seed", "cdrom", "cdrom"])
        #expect(vm.disks.map(\.readOnly) == [false, false, false, false, true, true, true])
    }

    @Test func everyStateHasItsWord() {
        let words: [(DomainState, Int32, VMState, String?)] = [
            (.running, 1, .running, "booted"), (.running, 5, .running, "unpaused"),
            (.blocked, 0, .running, nil),
            (.paused, 1, .paused, "user"), (.paused, 5, .paused, "ioError"),
            (.paused, 11, .stopped, "startingUp"),
            (.shuttingDown, 1, .running, "shuttingDown"), (.shutoff, 1, .stopped, "shutdown"),
            (.shutoff, 3, .stopped, "crashed"), (.shutoff, 7, .stopped, "fromSnapshot"),
            (.crashed, 1, .crashed, "panicked"), (.pmSuspended, 0, .paused, "asleep"),
            (.none, 0, .unknown, nil),
            (.running, 999, .running, nil), (.paused, -1, .paused, nil),
        ]
        for (state, reason, shown, word) in words {
            let vm = project(view(state, reason)).vm
            #expect(vm.state == shown && vm.stateReason == word)
        }
        let saved = project(view(.shutoff, 5) { $0.hasManagedSave = true }).vm
        #expect(saved.state == .suspended && saved.stateReason == "saved")
    }

    @Test func liveDefinitionIsShownAndTheSavedOneIsPending() throws {
        let saved = PlanSamples.plain()
        var live = saved.domainXML()
        live.element[attribute: "id"] = "7"
        live.disks[0].alias = "virtio-disk0"
        live.interfaces[0].element[path: "source"]?[attribute: "bridge"] = "virbr0"
        var same = view(.running)
        (same.activeXML, same.inactiveXML) = (live.xml, saved.domainXML().xml)
        let unchanged = project(same).vm
        #expect(unchanged.pending == nil && unchanged.nics[0].bridge == "virbr0")

        var next = saved
        (next.cpus, next.memoryBytes, next.firmware) = (4, 4 << 30, .uefi)
        next.disks = [saved.disks[0], PlanSamples.disk(.virtio, "vdb", nil)]
        next.nics = []
        var changed = view(.running)
        (changed.activeXML, changed.inactiveXML) = (live.xml, next.domainXML().xml)
        let vm = project(changed).vm
        #expect(vm.cpus == 2 && vm.memoryBytes == 2 << 30 && vm.disks.count == 1)
        let pending = try #require(vm.pending)
        #expect(
            pending["cpus"] == "4" && pending["memoryBytes"] == "4294967296" && pending["firmware"] == "uefi")
        #expect(pending["nics.52:54:00:00:00:01"] == "removed")
        #expect(pending["disks.vdb"]?.contains("/v/vdb") == true && pending["disks.vda"] == nil)
    }

    /// What libvirt adds to a running domain is no difference to its definition.
    @Test func realGuestHasNothingPending() {
        let vm = project(
            view(.running) { ($0.activeXML, $0.inactiveXML) = (LiveDomainSample.xml, SavedDomainSample.xml) }
        ).vm
        #expect(vm.pending == nil && vm.managed && vm.disks.map(\.role) == ["root", "seed"])
        #expect(vm.nics.map(\.tap) == ["vt6ba7b8100"] && vm.nics.map(\.bridge) == ["virbr0"])
        #expect(vm.memoryBytes == 256 << 20 && vm.cpus == 2 && vm.machine?.hasPrefix("pc-q35-") == true)
    }

    @Test func foreignDomainsAreShownOnly() {
        var plan = PlanSamples.plain()
        plan.labels = ["a": "b"]
        for (id, instance) in [(PlanSamples.id, ObjectID()), (ObjectID(), PlanSamples.instance)] {
            let view = DomainView(
                id: id, name: "x", status: .init(state: .shutoff, reason: 0),
                inactiveXML: plan.domainXML().xml)
            let shown = DomainProjection(view, instance: instance, observedAt: time).vm
            #expect(!shown.managed && shown.labels.isEmpty && shown.cpus == 2 && shown.disks.count == 1)
        }
    }

    @Test func changedMarkOfARunningDomainCounts() {
        var live = PlanSamples.plain()
        live.labels = ["old": "1"]
        var saved = live
        saved.labels = ["new": "2"]
        let vm = project(
            view(.running) { ($0.activeXML, $0.inactiveXML) = (live.domainXML().xml, saved.domainXML().xml) }
        ).vm
        #expect(vm.labels == ["new": "2"] && vm.pending == nil)
    }

    @Test func textThatCannotBeReadIsAVMWithoutDevices() {
        let vm = project(view(.running) { ($0.activeXML, $0.inactiveXML) = ("<domain", "") }).vm
        #expect(vm.name == "web1" && vm.state == .running && vm.disks.isEmpty && !vm.managed)
    }

    /// The same fixtures that the XML views are tested with: whatever libvirt can say is shown somehow.
    @Test func everyFixtureIsShown() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../VirtXMLTests/Fixtures").standardized
        let files = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap {
            $0 as? String
        }
        var shown = 0
        for file in files where file.hasSuffix(".xml") {
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            guard let domain = try? DomainXML(parsing: text) else { continue }
            let vm = project(view(.running) { ($0.activeXML, $0.inactiveXML) = (text, text) }).vm
            #expect(vm.pending == nil && vm.disks.count == domain.disks.count, "\(file)")
            #expect(vm.nics.count == domain.interfaces.count { $0.mac != nil }, "\(file)")
            shown += 1
        }
        #expect(shown > 0)
    }
}
