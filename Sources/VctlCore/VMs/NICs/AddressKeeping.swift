// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI
import VirtXML

/// Addresses that were said of NICs: DHCP of a network of ours gives them to nobody else.
struct AddressKeeping: Sendable {
    let environment: VMEnvironment

    /// What is kept for a NIC.
    struct Kept: Codable, Hashable, Sendable {
        var network: ObjectReference
        var reservation: NetworkReservation
        /// Leases of others that end for it.
        var release: [ForgottenLease] = []

        /// Nobody changes the network meanwhile, but others may keep addresses there, too.
        var claims: [Claim] { Claim.shared(network.id, .definition) }

        var sentence: String { "keep \(reservation.address) for it on network \(network.name)" }
    }

    /// A NIC as it is, or is to be.
    struct NIC: Sendable {
        var mac: String
        /// The name of its VM.
        var vm: String
        var network: String?
        var addresses: [IPAddress]
    }

    /// What is to be kept for a NIC; `nil`: nothing, for no DHCP of ours has its addresses to give.
    /// - Parameter before: what is kept for it now, and will not be.
    /// - Throws: ``Problem`` `network.reserved`, `network.inUse`, `request.invalid`; `LibvirtError`.
    func plan(_ nic: NIC, insteadOf before: Kept? = nil, force: Bool = false) async throws -> Kept? {
        guard let (row, network) = try await network(nic.network), let subnet = network.subnet,
            network.dhcpRanges.contains(where: { $0.family == .ipv4 }),
            let address = nic.addresses.first(where: subnet.contains)
        else { return nil }
        if let before, before.network.id == row.id, before.reservation.address == address { return before }
        var edit = NetworkEdit(try await saved(row.id), isActive: false)
        if let before, before.network.id == row.id { edit.unreserve(before.reservation) }
        let isTheirs = edit.xml.reservations([:]).contains { $0.mac == nic.mac && $0.address == address }
        guard !isTheirs else { return nil }
        var request = NetworkReserve()
        request.address = address
        let choice = try await Reserving(environment: environment, network: network).choose(
            request, .init(mac: nic.mac), edit.xml, force: force)
        let reservation = NetworkReservation(
            mac: nic.mac, address: address, vm: nic.vm,
            hostname: Reserving.isHostname(nic.vm) ? nic.vm : nil)
        return Kept(network: row.reference, reservation: reservation, release: choice.release)
    }

    /// What is kept for a NIC of that which was said of it.
    func kept(_ nic: NIC) async throws -> Kept? {
        guard !nic.addresses.isEmpty, let (row, _) = try await network(nic.network) else { return nil }
        let known = try await saved(row.id).reservations([:])
        let mine = known.first { $0.mac == nic.mac && nic.addresses.contains($0.address) }
        return mine.map { Kept(network: row.reference, reservation: $0) }
    }

    private func network(_ name: String?) async throws -> (NetworkRow, Network)? {
        guard let name,
            let row = try await environment.inventory.read({ try NetworkStore.find($0, .name(name)) })
        else { return nil }
        let network = try row.value()
        return network.managed ? (row, network) : nil
    }

    private func saved(_ id: ObjectID) async throws -> NetworkXML {
        let network = try await NetworkEffects(environment: environment).existing(id)
        return try NetworkXML(parsing: try await network.xml(inactive: true))
    }

    // MARK: Effects

    /// - Throws: ``Problem`` `network.reserved` where somebody else got it meanwhile.
    func keep(_ kept: Kept) async throws {
        try await change(kept) { edit in
            let mine = kept.reservation
            for other in edit.xml.reservations([:])
            where other.mac == mine.mac || other.address == mine.address {
                guard other.mac == mine.mac, other.address == mine.address else {
                    throw Reserving.reserved(other, kept.network.name)
                }
                // What is active may lack it.
                edit.unreserve(other)
            }
            edit.live = []
            try edit.reserve(mine, as: nil)
        }
        for lease in kept.release { try lease.end() }
    }

    /// That there is no such network any more is as good.
    func free(_ kept: Kept) async throws {
        guard try await environment.hypervisor.network(kept.network.id) != nil else { return }
        try await change(kept) { edit in
            let mine = kept.reservation
            let known = edit.xml.reservations([:]).filter { $0.address == mine.address }
            guard known.allSatisfy({ $0.mac == mine.mac }) else { return }
            // What is active may still have it.
            if known.isEmpty { try edit.reserve(mine, as: nil) }
            edit.live = []
            edit.unreserve(mine)
        }
    }

    private func change(_ kept: Kept, _ change: (inout NetworkEdit) throws -> Void) async throws {
        let effects = NetworkEffects(environment: environment)
        let id = kept.network.id
        try await environment.turns.alone(id) {
            let isActive = try await effects.existing(id).isActive()
            var edit = NetworkEdit(try await saved(id), isActive: isActive)
            try change(&edit)
            try await effects.redefine(id, edit.xml.xml)
            for update in edit.live {
                try await NetworkDefineOperation(environment: environment).apply(update, to: id)
            }
            try await environment.watcher.refreshNetwork(id)
        }
    }
}

extension Journal {
    /// The step of an operation that keeps an address.
    func keep(_ kept: AddressKeeping.Kept, _ key: String, _ environment: VMEnvironment) async throws {
        let keeping = AddressKeeping(environment: environment)
        try await step(key, undo: { try await keeping.free(kept) }) { try await keeping.keep(kept) }
    }

    /// The step of an operation that keeps one no more.
    func free(_ kept: AddressKeeping.Kept, _ key: String, _ environment: VMEnvironment) async throws {
        let keeping = AddressKeeping(environment: environment)
        try await step(key, undo: { try await keeping.keep(kept) }) { try await keeping.free(kept) }
    }
}

extension Claim {
    /// What the addresses that are kept need, each network once.
    static func all(_ kept: [AddressKeeping.Kept]) -> [Claim] { Array(Set(kept.flatMap(\.claims))) }
}

extension VM.NIC {
    /// With the addresses that were said of it.
    func said(of vm: String) -> AddressKeeping.NIC {
        .init(mac: mac, vm: vm, network: network, addresses: (ip ?? []).compactMap { IPAddress($0) })
    }
}

extension DomainPlan.NIC {
    /// With the addresses that were said of it.
    func said(of vm: String) -> AddressKeeping.NIC {
        let addresses = (guarding?.addresses ?? []).compactMap { IPAddress($0) }
        return .init(mac: mac, vm: vm, network: network, addresses: addresses)
    }
}
