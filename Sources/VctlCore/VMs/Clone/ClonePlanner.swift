// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// Turns a request for a clone into a plan: looks at the other VM's saved definition and its disks, decides,
/// and mints every name.
struct ClonePlanner: Sendable {
    /// What is stored, and what comes with it.
    struct Draft: Sendable {
        var request: VMCloneOperation.Request
        var seed: Seed?
        /// The image that the clone's disks go on reading from.
        var image: UsableImage?
        var vm: VM
        /// The files that will be made, and their pools.
        var disks: [Claim]
    }

    let environment: VMEnvironment
    let source: VM
    let request: VMClone
    let caller: Caller

    private var name: String { request.name.rawValue }

    func draft() async throws -> Draft {
        let connection = try environment.hypervisor.connection()
        let domain = try await DomainEffects(environment: environment).existing(source.id)
        let saved = try DomainXML(parsing: try await domain.xml([.inactive, .secure]))
        let id = ObjectID()
        let planner = DiskPlanner(environment: environment, connection: connection)
        let sources = SourceDisks(name: source.name, domain: domain)
        try await sources.refusePending(saved)
        let (disks, image, made) = try await disks(saved, sources, planner)
        let kept = try SeedFiles(environment.state).kept(source.id)
        var plan = ClonePlan(
            source: ObjectReference(kind: .vm, id: source.id, name: source.name),
            mark: mark(id, disks, image),
            name: name, description: request.description ?? source.description, disks: disks,
            nics: try await nics(saved, id), consoleLog: environment.state.consoleLog(id))
        plan.mark.nics = guarded(plan.nics)
        plan.variables = environment.state.variables(id, saved.firmware)
        plan.nvram = nvram(saved, plan.variables)
        plan.seed = kept == nil ? nil : seedDrive(saved, id)
        let live = try await domain.isActive()
        let work = VMCloneOperation.Request(
            plan: plan, pool: made.pool, live: live, start: request.start ?? false,
            autostart: request.autostart ?? false, warnings: warnings(saved, plan, kept))
        // What cannot be made is found before anything is.
        let definition = try plan.definition(from: saved)
        return Draft(
            request: work, seed: plan.seed == nil ? nil : try kept?.cloned(as: plan), image: image,
            vm: reserved(plan, definition), disks: made.claims)
    }

    private func mark(_ id: ObjectID, _ disks: [ClonePlan.Disk], _ image: UsableImage?) -> Mark {
        var mark = Mark(instance: environment.state.instance, id: id)
        mark.labels = source.labels.merging(request.labels ?? [:]) { $1 }
        mark.image =
            image.map { .init(id: $0.id, name: $0.name, linked: true) }
            ?? source.image.map {
                .init(id: $0.id, name: $0.name, linked: false)
            }
        mark.createdAt = .now
        mark.creator = caller.user ?? "uid \(caller.uid)"
        mark.protected = request.protected ?? false
        let roles = Dictionary(source.disks.map { ($0.target, $0.role) }) { first, _ in first }
        let volumes = Dictionary(uniqueKeysWithValues: disks.map { ($0.target, $0.volume.id) })
        mark.disks = source.disks.compactMap { disk in
            let role = roles[disk.target].flatMap { $0 } ?? (volumes[disk.target] == nil ? nil : "data")
            return role.map { Mark.Disk(target: disk.target, role: $0, volume: volumes[disk.target]) }
        }
        return mark
    }

    // MARK: Disks

    private func disks(
        _ saved: DomainXML, _ sources: SourceDisks, _ planner: DiskPlanner
    ) async throws -> ([ClonePlan.Disk], UsableImage?, DiskPlanner.Result) {
        var result = DiskPlanner.Result()
        var disks: [ClonePlan.Disk] = []
        var shared: UsableImage?
        for disk in saved.disks where ClonePlan.isOwn(disk) {
            let content = try await sources.content(of: disk)
            let image = try await image(behind: content, planner)
            shared = image ?? shared
            var spec = DiskSpec()
            spec.pool = request.pool
            let kept: DiskFormat = disk.type == "block" ? .qcow2 : content.format
            var volume = try await planner.volume(spec, of: name, kept, content.sizeBytes, &result)
            volume.source = .init(
                path: content.path, format: content.format, linked: false,
                backing: image.map { .init(path: $0.path, format: $0.format) })
            result.volumes.append(volume)
            disks.append(.init(target: disk.targetDev ?? "?", volume: volume))
        }
        try SourceDisks.requireRoom(for: disks.map(\.volume))
        guard request.clone != .linked || shared != nil else { throw notLinked }
        return (disks, shared, result)
    }

    /// The image that the clone's disk shall share with this one; `nil`: it stands alone. Only a disk right
    /// above an image can be copied without what lies below: one with snapshots has more in between.
    private func image(behind content: SourceDisks.Content, _ planner: DiskPlanner) async throws
        -> UsableImage?
    {
        guard request.clone != .full, content.format == .qcow2 else { return nil }
        return try await planner.image(behind: content.path)
    }

    private var notLinked: Problem {
        Problem(
            .vmState,
            "no disk of VM \(shown(source.name)) reads from an image alone, so there is nothing to share",
            hint: "vctl vm clone \(shown(source.name)) \(name) --full, or first vctl image publish")
    }

    // MARK: Everything else

    /// A clone is guarded as the other one is; the other one's addresses are not its own.
    private func guarded(_ nics: [ClonePlan.NIC]) -> [Mark.NIC] {
        nics.compactMap { nic in
            let other = source.nics.first { $0.mac == nic.from }
            var part = Mark.NIC(mac: nic.mac)
            (part.antiSpoofing, part.groups) = (other?.antiSpoofing ?? false, other?.securityGroups ?? [])
            return part.isEmpty ? nil : part
        }
    }

    private func nics(_ saved: DomainXML, _ id: ObjectID) async throws -> [ClonePlan.NIC] {
        var taken = Set(try await environment.inventory.read { try MACStore.taken($0) }.keys)
        return saved.interfaces.enumerated().map { index, nic in
            let mac = Minting.mac(avoiding: taken)
            taken.insert(mac)
            return .init(
                from: nic.mac?.lowercased() ?? "", mac: mac, tap: Minting.tap(vm: id, index: index))
        }
    }

    private func nvram(_ saved: DomainXML, _ own: String?) -> ClonePlan.FileCopy? {
        guard let own, let path = FirmwareVariables.path(saved), FileManager.default.fileExists(atPath: path)
        else { return nil }
        return .init(from: path, to: own)
    }

    private func seedDrive(_ saved: DomainXML, _ id: ObjectID) -> ClonePlan.Seed? {
        let files = SeedFiles(environment.state)
        let drive = saved.disks.first { $0.sourcePath == files.image(source.id) }
        return drive?.targetDev.map { .init(target: $0, path: files.image(id)) }
    }

    private func warnings(_ saved: DomainXML, _ plan: ClonePlan, _ seed: Seed?) -> [String] {
        var warnings: [String] = []
        if seed?.hasFixedAddresses == true {
            warnings.append(
                "its network-config gives it the same fixed addresses as \(shown(source.name)): before both "
                    + "run, give it others with vctl vm set \(shown(name)) --network-config FILE")
        }
        if plan.seed == nil {
            warnings.append(
                "it has no cloud-init seed of ours: host name, machine-id and ssh host keys are those of"
                    + " \(shown(source.name)) until they are changed in the guest")
        }
        if saved.element.first("devices/hostdev") != nil {
            warnings.append("devices of the host are given to both, and only one of them can run with them")
        }
        if saved.element.first("devices/tpm") != nil {
            warnings.append("its TPM is new and empty: what was sealed in the other one's is not there")
        }
        return warnings
    }

    /// The row that holds the name until libvirt has the domain.
    private func reserved(_ plan: ClonePlan, _ definition: DomainXML) -> VM {
        var vm = source
        vm.id = plan.id
        vm.name = plan.name
        vm.description = plan.description
        (vm.state, vm.stateReason) = (.stopped, .creating)
        vm.labels = plan.mark.labels
        vm.image = plan.mark.image
        (vm.managed, vm.autostart, vm.protected) = (true, false, plan.mark.protected)
        vm.createdAt = plan.mark.createdAt
        vm.observedAt = .now
        (vm.pending, vm.operation) = (nil, nil)
        let macs = Dictionary(plan.nics.map { ($0.from, $0) }) { first, _ in first }
        vm.nics = source.nics.compactMap { nic in
            macs[nic.mac].map { new in
                var copy = nic
                (copy.mac, copy.tap, copy.addresses, copy.ip) = (new.mac, nil, [], nil)
                return copy
            }
        }
        vm.disks = definition.disks.map {
            VM.Disk(target: $0.targetDev ?? "?", device: $0.device ?? "disk", path: $0.sourcePath)
        }
        return vm
    }
}
