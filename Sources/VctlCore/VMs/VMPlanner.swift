// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI
import VirtXML

/// Turns a request into a plan: looks at the host and the inventory, decides, and mints every name.
struct VMPlanner: Sendable {
    static let defaultMemory: Int64 = 1 << 30

    /// What is stored, and what comes with it.
    struct Draft: Sendable {
        var request: VMCreateOperation.Request
        var seed: Seed?
        var claims: [Claim]
        var vm: VM
    }

    let environment: VMEnvironment

    func draft(_ create: VMCreate, caller: Caller) async throws -> Draft {
        let connection = try environment.hypervisor.connection()
        let flavor = DomainPlan.Flavor(hypervisor: try await connection.hypervisorType())
        var plan = DomainPlan(
            id: ObjectID(), name: create.name.rawValue, instance: environment.state.instance,
            cpus: create.cpus ?? 1, memoryBytes: create.memoryBytes?.bytes ?? Self.defaultMemory)
        plan.flavor = flavor
        describe(&plan, create, caller)
        var warnings: [String] = []
        try await accelerate(&plan, &warnings)
        if flavor == .qemu {
            try await HardwareCheck(connection: connection, accelerator: plan.accelerator).check(
                .init(
                    machine: create.machine, cpuModel: create.cpuModel, firmware: create.firmware,
                    tpm: create.tpm, graphics: create.graphics))
        }
        plan.nics = try await nics(
            create, plan.id,
            NICHost(
                connection: connection, caller: caller, uri: environment.hypervisor.uri,
                inventory: environment.inventory), &warnings)
        plan.boot = try kernel(create, caller)
        let image = try await image(create)
        plan.image = image.map { .init(id: $0.id, name: $0.name, linked: create.clone != .full) }
        let disks = try await DiskPlanner(environment: environment, connection: connection)
            .plan(create, image: image, vm: plan.id, caller: caller)
        plan.disks = disks.disks
        plan.placeNICs()
        if let behind = disks.image { plan.image = .init(id: behind.id, name: behind.name, linked: true) }
        var draft = try finish(create, plan, disks, image, warnings)
        let keeps = try await keeps(plan)
        draft.request.keeps = keeps.isEmpty ? nil : keeps
        draft.claims += Claim.all(keeps)
        return draft
    }

    private func keeps(_ plan: DomainPlan) async throws -> [AddressKeeping.Kept] {
        let keeping = AddressKeeping(environment: environment)
        var list: [AddressKeeping.Kept] = []
        for nic in plan.nics {
            list += [try await keeping.plan(nic.said(of: plan.name))].compactMap(\.self)
        }
        return list
    }

    private func describe(_ plan: inout DomainPlan, _ create: VMCreate, _ caller: Caller) {
        plan.description = create.description
        plan.maxCpus = create.maxCpus
        plan.maxMemoryBytes = create.maxMemoryBytes?.bytes
        plan.machine = create.machine ?? "q35"
        plan.firmware = create.firmware ?? .bios
        plan.variables = environment.state.variables(plan.id, plan.firmware)
        plan.tpm = create.tpm
        plan.graphics = create.graphics
        plan.screen = create.graphics != GraphicsKind.none
        plan.cpuModel = create.cpuModel
        plan.consoleLog = environment.state.consoleLog(plan.id)
        plan.labels = create.labels ?? [:]
        plan.createdAt = .now
        plan.creator = caller.user ?? "uid \(caller.uid)"
        plan.protected = create.protected ?? false
        plan.startRule = .init(order: create.autostartOrder, delay: create.autostartDelaySeconds)
        plan.onCrash = create.onCrash
        plan.profile = create.profile?.description
    }

    private func accelerate(_ plan: inout DomainPlan, _ warnings: inout [String]) async throws {
        let found = await environment.accelerator.result()
        plan.accelerator = found.kind
        if plan.flavor == .qemu, found.kind == .tcg {
            let reason = found.reason ?? "KVM is not usable"
            warnings.append("runs without KVM, by emulation, which is many times slower: \(reason)")
        }
    }

    private func nics(
        _ create: VMCreate, _ vm: ObjectID, _ host: NICHost, _ warnings: inout [String]
    ) async throws -> [DomainPlan.NIC] {
        let taken = try await environment.inventory.read { try MACStore.taken($0) }
        let specs: [NICSpec]
        if let given = create.networks {
            specs = given
        } else if try await exists(.name("default"), host.connection) != nil {
            specs = [NICSpec(network: .name("default"))]
        } else {
            warnings.append("it has no NIC: there is no network \"default\", and none was named")
            specs = []
        }
        var used = Set(taken.keys)
        var result: [DomainPlan.NIC] = []
        for (index, spec) in specs.enumerated() {
            let field = "networks[\(index)]"
            let mac = spec.mac?.lowercased() ?? Minting.mac(avoiding: used)
            if let owner = taken[mac] { throw MACStore.problem(mac, owner, field: "\(field).mac") }
            used.insert(mac)
            let tap = Minting.tap(vm: vm, index: index)
            var nic = try await nic(spec, mac, tap, host) { "\(field).\($0)" }
            nic.bootOrder = spec.boot
            result.append(nic)
        }
        return result
    }

    /// One more NIC for a VM that exists.
    func nic(_ spec: NICSpec, vm: ObjectID, besides nics: [VM.NIC], _ host: NICHost) async throws
        -> DomainPlan.NIC
    {
        let taken = try await environment.inventory.read { try MACStore.taken($0) }
        let mac = spec.mac?.lowercased() ?? Minting.mac(avoiding: Set(taken.keys))
        if let owner = taken[mac] { throw MACStore.problem(mac, owner, field: "mac") }
        return try await nic(spec, mac, Self.freeTap(vm, besides: nics), host) { $0 }
    }

    static func freeTap(_ vm: ObjectID, besides nics: [VM.NIC]) -> String {
        let taps = Set(nics.compactMap(\.tap))
        let free = (0...nics.count).lazy.map { Minting.tap(vm: vm, index: $0) }.first { !taps.contains($0) }
        return free ?? Minting.tap(vm: vm, index: nics.count)
    }

    /// - Parameter field: where a field of it is in the request.
    private func nic(
        _ spec: NICSpec, _ mac: String, _ tap: String, _ host: NICHost, field: (String) -> String
    ) async throws -> DomainPlan.NIC {
        var network: String?
        if let reference = spec.network {
            network = try await self.network(reference, field: field("network"), host.connection)
        }
        var nic = DomainPlan.NIC(
            mac: mac, network: network, bridge: spec.bridge?.rawValue, model: spec.model ?? "virtio", tap: tap
        )
        let setting = NICSetting(spec)
        if setting != NICSetting() { nic.setting = setting }
        var asked = setting
        (asked.network, asked.bridge) = (nic.network, nic.bridge)
        var part = Mark.NIC(mac: mac)
        (part.antiSpoofing, part.addresses) = (spec.antiSpoofing ?? false, (spec.ip ?? []).map(\.description))
        part.groups = (spec.securityGroups ?? []).map(\.rawValue)
        if !part.isEmpty { nic.guarding = part }
        try await host.check(asked, nic.xml, part, field: field)
        return nic
    }

    /// libvirt's name of a network.
    /// - Throws: ``Problem`` `network.notFound`.
    func network(_ reference: Reference, field: String, _ connection: Connection) async throws -> String {
        if let name = try await exists(reference, connection) { return name }
        let hint = try await environment.inventory.read { try Comparison.hint($0, "network", reference) }
        throw Problem(
            .networkNotFound, "there is no network \(shown(reference.description))", hint: hint,
            errors: [FieldProblem(field, "no such network")])
    }

    /// libvirt's name of the network, or `nil`.
    private func exists(_ reference: Reference, _ connection: Connection) async throws -> String? {
        do {
            switch reference {
            case .id(let id): return try await connection.network(uuid: id.uuid).name
            case .name(let name): return try await connection.network(name: name).name
            }
        } catch let error as LibvirtError where error.code == .noNetwork {
            return nil
        }
    }

    private func kernel(_ create: VMCreate, _ caller: Caller) throws -> DomainPlan.KernelBoot? {
        guard let kernel = create.kernel else { return nil }
        let paths = HostPaths(allowed: environment.allowedPaths)
        return DomainPlan.KernelBoot(
            kernel: try paths.resolve(kernel, field: "kernel", caller: caller),
            initrd: try create.initrd.map { try paths.resolve($0, field: "initrd", caller: caller) },
            cmdline: create.cmdline)
    }

    private func image(_ create: VMCreate) async throws -> UsableImage? {
        guard let reference = create.image else { return nil }
        return try await environment.inventory.read { try UsableImage.find($0, reference) }
    }

    private func finish(
        _ create: VMCreate, _ plan: DomainPlan, _ disks: DiskPlanner.Result, _ image: UsableImage?,
        _ warnings: [String]
    ) throws -> Draft {
        var plan = plan
        var wanted = SeedRequest(create, id: plan.id, macs: plan.nics.map(\.mac))
        wanted.hostname = plan.name
        let hasSeed = image != nil || wanted.isWanted
        if hasSeed { plan.disks.append(disks.seed(SeedFiles(environment.state).image(plan.id))) }
        var seed = hasSeed ? try wanted.seed() : nil
        if image?.wasUsed ?? false { seed?.vendorData = Seed.newMachineID }
        let request = VMCreateOperation.Request(
            plan: plan, volumes: disks.volumes, pool: disks.pool, hasSeed: hasSeed,
            start: create.start ?? true,
            autostart: plan.startRule == nil && create.autostart ?? false, warnings: warnings)
        let claims =
            Claim.whole(plan.id) + (plan.image.map { Claim.shared($0.id, .disks) } ?? [])
            + Claim.named(plan.existingDisks) + disks.claims + Claim.named(plan.nics.map(\.mac))
        return Draft(
            request: request, seed: seed, claims: claims, vm: reserved(plan))
    }

    /// The row that holds the name until libvirt has the domain.
    private func reserved(_ plan: DomainPlan) -> VM {
        var vm = VM(
            id: plan.id, name: plan.name, state: .stopped, stateReason: .creating, cpus: plan.cpus,
            memoryBytes: plan.memoryBytes, labels: plan.labels, managed: true, protected: plan.protected,
            createdAt: plan.createdAt, observedAt: .now)
        vm.image = plan.image
        vm.description = plan.description
        vm.disks = plan.disks.map {
            VM.Disk(target: $0.target, device: $0.device.rawValue, path: $0.path, role: $0.role.rawValue)
        }
        vm.nics = plan.nics.map {
            var nic = VM.NIC(mac: $0.mac, network: $0.network, bridge: $0.bridge, model: $0.model)
            // A group that a VM will have is in use.
            nic.securityGroups = $0.guarding?.groups.isEmpty == false ? $0.guarding?.groups : nil
            return nic
        }
        return vm
    }
}

/// An image that a VM can be made from.
struct UsableImage: Sendable {
    var id: ObjectID
    var name: String
    var path: String
    var format: DiskFormat
    var sizeBytes: Int64
    /// Whether a guest has run on it.
    var wasUsed: Bool

    /// - Throws: ``Problem`` `image.notFound` or `image.state`.
    static func find(_ db: Database, _ reference: Reference) throws -> UsableImage {
        let column = if case .id = reference { "id" } else { "name" }
        let sql = "SELECT document, path FROM image WHERE \(column) = ?"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [reference.description]) else {
            throw Problem(
                .imageNotFound, "there is no image \(shown(reference.description))",
                hint: try Comparison.hint(db, "image", reference))
        }
        let image = try JSON.value(Image.self, row["document"])
        guard image.state == .ready, let path = row["path"] as String?, let format = image.format,
            let size = image.virtualSizeBytes
        else {
            throw Problem(
                .imageState, "image \(image.name) is \(image.state.rawValue), not ready",
                hint: "vctl image show \(image.name)")
        }
        return UsableImage(
            id: image.id, name: image.name.rawValue, path: path, format: format, sizeBytes: size,
            wasUsed: image.wasUsed)
    }
}

/// Which MACs are in use, and by whom.
enum MACStore {
    static func taken(_ db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT vm.name AS name, nic.value ->> '$.mac' AS mac
                FROM vm, json_each(vm.document, '$.nics') AS nic
                WHERE vm.state <> 'missing'
                """)
        return Dictionary(rows.map { ($0["mac"], $0["name"]) }, uniquingKeysWith: { first, _ in first })
    }

    /// - Parameter field: of the MAC in the request.
    static func problem(_ mac: String, _ owner: String, field: String) -> Problem {
        Problem(
            .requestInvalid, "the MAC \(mac) belongs to VM \(shown(owner))",
            errors: [FieldProblem(field, "in use by \(shown(owner))")])
    }
}
