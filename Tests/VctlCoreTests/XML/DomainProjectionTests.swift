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
        #expect(vm.id == plan.id && vm.managed && vm.state == .stopped && vm.stateReason == .shutdown)
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

    /// Every reason that `libvirt-domain.h` has, by its number there, and the word that is published for it.
    private static let reasons: [(state: DomainState, shown: VMState, words: [StateReason])] = [
        (.none, .unknown, [.unknown]),
        (
            .running, .running,
            [
                .unknown, .booted, .migrated, .restored, .fromSnapshot, .unpaused, .migrationCanceled,
                .saveCanceled, .wakeup, .crashed, .postcopy, .postcopyFailed,
            ]
        ),
        (.blocked, .running, [.blocked]),
        (
            .paused, .paused,
            [
                .unknown, .user, .migration, .save, .dump, .ioError, .watchdog, .fromSnapshot, .shuttingDown,
                .snapshot, .crashed, .startingUp, .postcopy, .postcopyFailed, .apiError,
            ]
        ),
        (.shuttingDown, .running, [.shuttingDown, .shuttingDown]),
        (
            .shutoff, .stopped,
            [
                .unknown, .shutdown, .destroyed, .crashed, .migrated, .saved, .failed, .fromSnapshot, .daemon,
            ]
        ),
        (.crashed, .crashed, [.unknown, .panicked]),
        (.pmSuspended, .paused, [.asleep]),
    ]

    @Test func everyReasonOfEveryStateHasItsWord() {
        #expect(Self.reasons.map(\.state) == DomainState.allCases)
        for (state, shown, words) in Self.reasons {
            for (number, word) in words.enumerated() {
                let vm = project(view(state, Int32(number))).vm
                // QEMU is there with halted CPUs before the guest has started.
                let expected = word == .startingUp ? .stopped : shown
                #expect(vm.state == expected && vm.stateReason == word, "\(state) \(number)")
            }
            guard words.contains(.unknown) else { continue }
            for number in [Int32(words.count), 999, -1] {
                #expect(project(view(state, number)).vm.stateReason == .unknown, "\(state) \(number)")
            }
        }
    }

    @Test func whatIsSavedSaysSoWhateverStoppedIt() {
        for reason in 0..<Int32(9) {
            let saved = project(view(.shutoff, reason) { $0.hasManagedSave = true }).vm
            #expect(saved.state == .suspended && saved.stateReason == .saved)
        }
    }

    @Test func everyWordIsExplained() {
        for word in StateReason.allCases {
            #expect(StateReason.schema.summary?.contains("\(word.rawValue): \(word.meaning)") == true)
        }
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

    @Test func whatWaitsIsShown() throws {
        let domain = try #require(PlanSamples.all.first { $0.name == "described" }).plan.domainXML()
        func pending(_ change: (inout DomainXML) -> Void) -> [String: String]? {
            var next = domain
            change(&next)
            var changed = view(.running)
            (changed.activeXML, changed.inactiveXML) = (domain.xml, next.xml)
            return project(changed).vm.pending
        }
        #expect(pending { $0.cpuMode = "host-passthrough" } == ["cpuModel": "host-passthrough"])
        #expect(pending { ($0.cpuMode, $0.cpuModel) = ("custom", "Nehalem") } == ["cpuModel": "Nehalem"])
        #expect(pending { $0.osBootDevices = ["cdrom", "hd"] } == ["boot": "cdrom,hd"])
        #expect(pending { $0.onCrash = "preserve" } == ["onCrash": "preserve"])
        #expect(pending { Hardware.addPanicDevice(to: &$0) } == ["panic": "1"])
        #expect(pending { _ in } == nil)
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
