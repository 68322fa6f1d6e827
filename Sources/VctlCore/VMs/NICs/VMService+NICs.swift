// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

extension VMNICOperation.Request {
    /// What a saved definition becomes.
    fileprivate func applied(to saved: DomainXML) -> DomainXML {
        var domain = saved
        switch change {
        case .add(let nic): DeviceName.nic(nic.mac).put(nic.xml.element, into: &domain)
        case .remove(let mac): DeviceName.nic(mac).put(nil, into: &domain)
        case .set(let mac, let setting, _):
            if let index = domain.interfaces.firstIndex(where: { $0.mac?.lowercased() == mac }) {
                setting.apply(to: &domain.interfaces[index])
            }
        }
        boot?.after.apply(to: &domain)
        return domain
    }
}

extension VM.NIC {
    /// What of it is in the mark.
    fileprivate var guarding: Mark.NIC {
        var part = Mark.NIC(mac: mac)
        (part.antiSpoofing, part.addresses) = (antiSpoofing ?? false, ip ?? [])
        part.groups = securityGroups ?? []
        return part
    }
}

extension VM.NIC {
    /// With the addresses that will be said of it, where it will be.
    fileprivate func said(of vm: String, _ patch: VMNICPatch, _ setting: NICSetting) -> AddressKeeping.NIC {
        var nic = said(of: vm)
        if setting.network != nil || setting.bridge != nil { nic.network = setting.network }
        if let ip = patch.ip { nic.addresses = ip.value ?? [] }
        return nic
    }
}

extension VMNICPatch {
    /// What of a NIC is in the mark, before and after.
    fileprivate func guarding(_ before: Mark.NIC) -> VMNICOperation.Guarding {
        var after = before
        if let antiSpoofing { after.antiSpoofing = antiSpoofing }
        if let ip { after.addresses = (ip.value ?? []).map(\.description) }
        if let securityGroups { after.groups = (securityGroups.value ?? []).map(\.rawValue) }
        return .init(mac: before.mac, before: before, after: after)
    }

    fileprivate var guardingSentences: [String] {
        let spoofing = antiSpoofing.map {
            $0 ? "let it send only with its own MAC and addresses" : "let it send with any address"
        }
        let list = ip.map { ($0.value ?? []).map(\.description).joined(separator: ", ") }
        let addresses = list.map { $0.isEmpty ? "say no address of it" : "say that it has \($0)" }
        let groups = securityGroups.map { ($0.value ?? []).map(\.rawValue).joined(separator: ", ") }
        let inward = groups.map { $0.isEmpty ? "let everything in" : "let in what \($0) allows" }
        return [spoofing, addresses, inward].compactMap(\.self)
    }
}

extension VMService {
    /// What was decided about a NIC.
    private struct Decision {
        var change: VMNICOperation.Change
        var boot: VMNICOperation.Boot?
        var guarding: VMNICOperation.Guarding?
        var frees: AddressKeeping.Kept?
        var keeps: AddressKeeping.Kept?
        /// A sentence each.
        var sentences: [String]
    }

    /// What a decision is made from.
    private struct Present {
        var row: VMRow
        var vm: VM
        /// libvirt's saved definition, without secrets.
        var saved: DomainXML
        var connection: Connection

        /// CPUs that it has or may get.
        var cpus: Int { saved.vcpusMaximum ?? 1 }
    }

    /// Adds a NIC, to a running VM at once.
    public func addNIC(_ reference: Reference, _ add: NICSpec, _ context: RequestContext) async throws
        -> Accepted
    {
        try VMRules.refuse(VMRules.problems(nics: [add], cpus: nil) { $1 })
        return try await change(reference, context) { now in
            guard now.vm.nics.count < Limits.nics else {
                throw Problem(
                    .vmState, "VM \(shown(now.row.name)) has \(Limits.nics) NICs, the most that there can be")
            }
            try VMRules.refuse(NICRules.problems(add, cpus: now.cpus) { $0 })
            let planner = VMPlanner(environment: environment)
            let nic = try await planner.nic(
                add, vm: now.row.id, besides: now.vm.nics, host(now, context))
            let place = nic.network.map { "network \"\($0)\"" } ?? "bridge \(nic.bridge ?? "?")"
            let boot = try add.boot.map { try Self.boot(nic.mac, at: $0, now) }
            let guarding = nic.guarding.map {
                VMNICOperation.Guarding(mac: nic.mac, before: nil, after: $0)
            }
            return Decision(
                change: .add(nic), boot: boot, guarding: guarding,
                keeps: try await keeping.plan(nic.said(of: now.row.name)),
                sentences: ["add a NIC \(nic.mac) on \(place)"] + Self.sentences(boot, now))
        }
    }

    /// Takes a NIC away.
    public func removeNIC(_ reference: Reference, _ mac: String, _ context: RequestContext) async throws
        -> Accepted
    {
        try await change(reference, context) { now in
            let nic = try Self.nic(mac, of: now.vm)
            let part = nic.guarding
            return Decision(
                change: .remove(mac: nic.mac),
                guarding: part.isEmpty ? nil : .init(mac: nic.mac, before: part, after: nil),
                frees: try await keeping.kept(nic.said(of: now.row.name)),
                sentences: ["remove the NIC \(nic.mac)"])
        }
    }

    /// Changes a NIC: at once what can be, the rest at the next start.
    public func setNIC(
        _ reference: Reference, _ mac: String, _ patch: VMNICPatch, _ context: RequestContext
    ) async throws -> Accepted {
        try VMRules.refuse(NICRules.problems(patch))
        return try await change(reference, context) { now in
            let known = try Self.nic(mac, of: now.vm)
            let mac = known.mac
            guard let old = now.saved.interfaces.first(where: { $0.mac?.lowercased() == mac }) else {
                throw Problem(
                    .vmState, "the NIC \(mac) is gone with the next start of VM \(shown(now.row.name))",
                    hint: "vctl vm nic add \(shown(now.row.name)) NETWORK,mac=\(mac), once it is off")
            }
            guard patch.vlan == nil || old.vlanTags.count < 2 else {
                throw Problem(
                    .vmState, "the NIC \(mac) is a trunk of several VLANs, which was written by hand",
                    hint: "vctl vm set \(shown(now.row.name)) --xml-patch XPATH=VALUE")
            }
            let network = try await networkName(patch.network, now.connection)
            let guarding = patch.guarding(known.guarding)
            var setting = NICSetting(patch, network: network)
            if guarding.after?.isGuarded == true, old.targetDev == nil {
                setting.tap = VMPlanner.freeTap(now.row.id, besides: now.vm.nics)
            }
            var new = old
            setting.apply(to: &new)
            if patch.queues != nil || patch.model != nil {
                try VMRules.refuse(Self.queueProblems(new, now))
            }
            try await host(now, context).check(setting, new, guarding.after ?? known.guarding) { $0 }
            let (kept, keeps) = try await keepingOf(known, patch, setting, now, context)
            let boot = try patch.boot.map { try Self.boot(mac, at: $0.value, now) }
            let waits = now.vm.state == .running && (setting.waits || boot != nil)
            return Decision(
                change: .set(mac: mac, setting, before: setting.before(old)), boot: boot,
                guarding: guarding.before == guarding.after ? nil : guarding,
                frees: kept, keeps: keeps,
                sentences: setting.sentences(mac) + patch.guardingSentences
                    + (waits ? ["what cannot change while it runs at the next start"] : [])
                    + Self.sentences(boot, now))
        }
    }

    private var keeping: AddressKeeping { AddressKeeping(environment: environment) }

    /// What DHCP keeps for it no more, and from now on.
    private func keepingOf(
        _ nic: VM.NIC, _ patch: VMNICPatch, _ setting: NICSetting, _ now: Present, _ context: RequestContext
    ) async throws -> (AddressKeeping.Kept?, AddressKeeping.Kept?) {
        guard patch.ip != nil || setting.network != nil || setting.bridge != nil else { return (nil, nil) }
        let kept = try await keeping.kept(nic.said(of: now.row.name))
        let next = nic.said(of: now.row.name, patch, setting)
        let keeps = try await keeping.plan(next, insteadOf: kept, force: context.force)
        return kept == keeps ? (nil, nil) : (kept, keeps)
    }

    private func host(_ now: Present, _ context: RequestContext) -> NICHost {
        NICHost(
            connection: now.connection, caller: context.caller, uri: environment.hypervisor.uri,
            inventory: inventory)
    }

    private func networkName(_ reference: Reference?, _ connection: Connection) async throws -> String? {
        guard let reference else { return nil }
        return try await VMPlanner(environment: environment).network(
            reference, field: "network", connection)
    }

    private static func queueProblems(_ nic: InterfaceXML, _ now: Present) -> [FieldProblem] {
        guard let queues = nic.queues else { return [] }
        return NICRules.queues(queues, model: nic.model ?? "", cpus: now.cpus) { $0 }
    }

    private static func boot(_ mac: String, at place: Int?, _ now: Present) throws -> VMNICOperation.Boot {
        if place != nil { try BootOrder.refuseOtherWay(now.saved, name: now.row.name) }
        let before = BootOrder(of: now.saved)
        var after = before
        after.put(mac, at: place)
        return VMNICOperation.Boot(before: before, after: after)
    }

    private static func sentences(_ boot: VMNICOperation.Boot?, _ now: Present) -> [String] {
        guard let boot, boot.after != boot.before else { return [] }
        let order = boot.after.places.sorted { $0.value < $1.value }.map(\.key).joined(separator: ", ")
        return [order.isEmpty ? "boot from nothing" : "boot from these, in this order: \(order)"]
    }

    private func change(
        _ reference: Reference, _ context: RequestContext, _ decide: (Present) async throws -> Decision
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try await observeFirst(reference)
        let (row, vm) = try await managed(reference, context)
        do {
            let domain = try await DomainEffects(environment: environment).existing(row.id)
            let now = Present(
                row: row, vm: vm, saved: try DomainXML(parsing: try await domain.xml(.inactive)),
                connection: try environment.hypervisor.connection())
            return try await accept(try await decide(now), now, context)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    private func accept(_ decision: Decision, _ now: Present, _ context: RequestContext) async throws
        -> Accepted
    {
        let row = now.row
        let request = VMNICOperation.Request(
            vm: row.reference, change: decision.change, boot: decision.boot, guarding: decision.guarding,
            frees: decision.frees, keeps: decision.keeps)
        let kept = [request.keeps, request.frees].compactMap(\.self)
        let sentences = decision.sentences + (request.keeps.map { [$0.sentence] } ?? [])
        guard !context.dryRun else {
            var preview = Preview(action: context.action, target: row.name, changes: sentences)
            preview.xmlDiff = UnifiedDiff.text(now.saved.xml, request.applied(to: now.saved).xml)
            return .preview(preview)
        }
        let mac: String? = if case .add(let nic) = request.change { nic.mac } else { nil }
        let claims =
            Claim.exclusive(row.id, .definition) + Claim.named([mac].compactMap(\.self))
            + Claim.all(kept)
        return try await act(
            VMNICOperation.self, request, claims, row, context, sentences
        ) { transaction in
            guard let mac, let owner = try MACStore.taken(transaction.db)[mac] else { return }
            throw MACStore.problem(mac, owner, field: "mac")
        }
    }

    private static func nic(_ mac: String, of vm: VM) throws -> VM.NIC {
        if let nic = vm.nics.first(where: { $0.mac == mac.lowercased() }) { return nic }
        let known = vm.nics.map(\.mac).joined(separator: ", ")
        throw Problem(
            .nicNotFound,
            "VM \(shown(vm.name)) has no NIC \(shown(mac))" + (known.isEmpty ? "" : "; it has \(known)"),
            hint: "vctl vm nic list \(shown(vm.name))")
    }
}
