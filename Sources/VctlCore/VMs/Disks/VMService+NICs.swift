// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

extension VMService {
    /// Adds a NIC, to a running VM at once.
    public func addNIC(_ reference: Reference, _ add: NICSpec, _ context: RequestContext) async throws
        -> Accepted
    {
        try VMRules.refuse(VMRules.problems(nics: [add]) { $1 })
        return try await change(reference, context) { row, vm in
            guard vm.nics.count < Limits.nics else {
                throw Problem(
                    .vmState, "VM \(shown(row.name)) has \(Limits.nics) NICs, the most that there can be")
            }
            let connection = try environment.hypervisor.connection()
            let planner = VMPlanner(environment: environment)
            let nic = try await planner.nic(add, vm: row.id, besides: vm.nics, connection)
            return (.add(nic), ["add a NIC \(nic.mac) on network \"\(nic.network ?? "?")\""])
        }
    }

    /// Takes a NIC away.
    public func removeNIC(_ reference: Reference, _ mac: String, _ context: RequestContext) async throws
        -> Accepted
    {
        try await change(reference, context) { _, vm in
            let nic = try Self.nic(mac, of: vm)
            return (.remove(mac: nic.mac), ["remove the NIC \(nic.mac)"])
        }
    }

    /// Moves a NIC to another network, or pulls its cable.
    public func setNIC(
        _ reference: Reference, _ mac: String, _ patch: VMNICPatch, _ context: RequestContext
    ) async throws -> Accepted {
        guard patch.network != nil || patch.link != nil else {
            throw Problem(.requestInvalid, "nothing to change is given", hint: "network, link")
        }
        return try await change(reference, context) { _, vm in
            let nic = try Self.nic(mac, of: vm)
            let connection = try environment.hypervisor.connection()
            var setting = VMNICOperation.Setting(link: patch.link)
            var sentences: [String] = []
            if let network = patch.network {
                setting.network = try await VMPlanner(environment: environment).network(
                    network, field: "network", connection)
                sentences.append("move the NIC \(nic.mac) to network \"\(setting.network ?? "")\"")
            }
            if let link = patch.link {
                sentences.append("\(link ? "plug in" : "pull") the cable of the NIC \(nic.mac)")
            }
            let before = VMNICOperation.Setting(
                network: patch.network == nil ? nil : nic.network, link: patch.link.map { !$0 })
            return (.set(mac: nic.mac, setting, before: before), sentences)
        }
    }

    private func change(
        _ reference: Reference, _ context: RequestContext,
        _ decide: (VMRow, VM) async throws -> (VMNICOperation.Change, [String])
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        try await observeFirst(reference)
        let (row, vm) = try await managed(reference, context)
        let (change, sentences) = try await decide(row, vm)
        let request = VMNICOperation.Request(vm: row.reference, change: change)
        let mac: String? = if case .add(let nic) = change { nic.mac } else { nil }
        let claims = Claim.exclusive(row.id, .definition) + Claim.named([mac].compactMap(\.self))
        return try await act(VMNICOperation.self, request, claims, row, context, sentences) { transaction in
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
