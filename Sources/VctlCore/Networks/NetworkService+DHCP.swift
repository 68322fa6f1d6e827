// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Libvirt
import VctlAPI
import VirtXML

extension NetworkService {
    /// The addresses that DHCP has given away, as libvirt knows them now.
    public func leases(_ reference: Reference, _ query: ListQuery) async throws -> Rendered {
        let row = try await inventory.read { try NetworkStore.get($0, reference) }
        let (known, xml) = try await asking {
            let network = try await effects.existing(row.id)
            return (try await Self.leases(of: network), try await network.xml())
        }
        let owners = try await inventory.read { try MACStore.taken($0) }
        let kept = try NetworkXML(parsing: xml).reservations(owners)
        let leases = known.compactMap { lease -> NetworkLease? in
            guard let address = IPAddress(lease.address) else { return nil }
            let mac = lease.mac?.lowercased()
            return NetworkLease(
                address: address, mac: mac, hostname: lease.hostname, vm: mac.flatMap { owners[$0] },
                reserved: kept.contains { $0.address == address && $0.mac == mac },
                expiresAt: Timestamp(lease.expires))
        }
        return try await rendered(leases.sorted { $0.address < $1.address }, query)
    }

    /// A driver without leases has given none away.
    static func leases(of network: LibvirtNetwork) async throws -> [DHCPLease] {
        do {
            return try await network.leases()
        } catch let error as LibvirtError where error.meansUnsupportedFlags || error.code == .operationInvalid
        {
            return []
        }
    }

    /// The addresses that DHCP keeps for somebody.
    public func reservations(_ reference: Reference, _ query: ListQuery) async throws -> Rendered {
        let xml = try await saved(reference)
        let owners = try await inventory.read { try MACStore.taken($0) }
        return try await rendered(xml.reservations(owners).sorted { $0.address < $1.address }, query)
    }

    /// The names that were added to the network's DNS.
    public func records(_ reference: Reference, _ query: ListQuery) async throws -> Rendered {
        try await rendered(try await saved(reference).records, query)
    }

    private func rendered(_ values: [some Encodable & Sendable], _ query: ListQuery) async throws -> Rendered
    {
        let texts = try values.map { try JSON.text($0) }
        return try await inventory.read { Rendered(json: try FieldFilter.array(texts, query.fields, $0)) }
    }

    private func saved(_ reference: Reference) async throws -> NetworkXML {
        let id = try await inventory.read { try NetworkStore.get($0, reference).id }
        let text = try await asking { try await effects.existing(id).xml(inactive: true) }
        return try NetworkXML(parsing: text)
    }

    /// What libvirt answers, with its errors as problems.
    private func asking<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        _ = try environment.hypervisor.connection()
        do {
            return try await body()
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    // MARK: Reservations

    /// Keeps an address for a NIC: a lease that somebody else had of it before does not count.
    /// - Throws: ``Problem`` `network.reserved`, `network.noService`, `network.inUse`, `nic.notFound`.
    public func reserve(_ reference: Reference, _ request: NetworkReserve, _ context: RequestContext)
        async throws -> Accepted
    {
        try await edit(reference, context) { row, network, edit in
            let nic = try await self.nic(request, on: network)
            let choice = try await Reserving(environment: environment, network: network).choose(
                request, nic, edit.xml, force: context.force)
            try edit.reserve(choice.reservation, as: nic.vm)
            return choice.release
        }
    }

    /// Keeps no address any more for a VM, a MAC, or not this address.
    /// - Throws: ``Problem`` `reservation.notFound`.
    public func unreserve(_ reference: Reference, _ what: String, _ context: RequestContext) async throws
        -> Accepted
    {
        try await edit(reference, context) { row, network, edit in
            let owners = try await inventory.read { try MACStore.taken($0) }
            let known = edit.xml.reservations(owners).filter { reservation in
                [reservation.vm, reservation.mac, reservation.address.description, reservation.hostname]
                    .contains(what) || reservation.mac == what.lowercased()
            }
            guard !known.isEmpty else {
                throw Problem(
                    .reservationNotFound, "network \(shown(row.name)) keeps no address for \(shown(what))",
                    hint: "vctl network reservation list \(shown(row.name))")
            }
            let forwards = try await inventory.read { try ForwardStore.all($0, of: row.id) }
            for reservation in known {
                if let forward = forwards.first(where: { $0.mac == reservation.mac }) {
                    throw Problem(
                        .networkInUse, "\(forward.key) leads to \(reservation.address)",
                        hint: "vctl network forward remove \(shown(row.name)) \(forward.key)")
                }
                edit.unreserve(reservation)
            }
            return []
        }
    }

    /// A NIC, and the VM that has it.
    struct ReservedNIC: Sendable {
        var mac: String
        var vm: VM?
    }

    /// The NIC that a request means.
    func nic(_ request: NetworkReserve, on network: Network) async throws -> ReservedNIC {
        let mac = request.mac?.lowercased()
        guard let reference = request.vm else {
            guard let mac else {
                throw Problem(
                    .requestInvalid, "vm: say whose address it is",
                    errors: [FieldProblem("vm", "a VM, or a mac")])
            }
            try VMRules.refuse(Self.macProblems(mac))
            return ReservedNIC(mac: mac)
        }
        let vm = try await inventory.read { try VMStore.get($0, reference).value() }
        let nics = vm.nics.filter { $0.network == network.name && (mac == nil || $0.mac == mac) }
        guard let nic = nics.first else {
            throw Problem(
                .nicNotFound, "VM \(shown(vm.name)) has no such NIC on network \(shown(network.name))",
                hint: "vctl vm nic list \(shown(vm.name))")
        }
        guard nics.count == 1 else {
            throw Problem(
                .requestInvalid,
                "VM \(shown(vm.name)) has \(nics.count) NICs on network \(shown(network.name))",
                hint: "name one with --mac \(nic.mac)", errors: [FieldProblem("mac", "which of them?")])
        }
        return ReservedNIC(mac: nic.mac, vm: vm)
    }

    private static func macProblems(_ mac: String) -> [FieldProblem] {
        let parts = mac.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        let isFine = parts.count == 6 && bytes.count == 6 && bytes[0] & 1 == 0
        return isFine ? [] : [FieldProblem("mac", "a unicast address like 52:54:00:12:34:56")]
    }

    // MARK: DNS

    /// Adds a name to the network's DNS.
    /// - Throws: ``Problem`` `network.reserved` where it is there, `network.noService`.
    public func addRecord(_ reference: Reference, _ record: NetworkRecord, _ context: RequestContext)
        async throws -> Accepted
    {
        try VMRules.refuse(
            NetworkRules.domainProblems(record.name).map { FieldProblem("name", $0.problem) })
        return try await edit(reference, context) { row, network, edit in
            guard !network.hostAddresses.isEmpty else { throw Self.noService(row.name) }
            try edit.add(record)
            return []
        }
    }

    /// Takes a name away from the network's DNS, or all names of an address.
    /// - Throws: ``Problem`` `record.notFound`.
    public func removeRecord(_ reference: Reference, _ what: String, _ context: RequestContext) async throws
        -> Accepted
    {
        try await edit(reference, context) { row, _, edit in
            let known = edit.xml.records.filter { $0.name == what || $0.address.description == what }
            guard !known.isEmpty else {
                throw Problem(
                    .recordNotFound, "network \(shown(row.name)) has no name \(shown(what)) of its own",
                    hint: "vctl network dns list \(shown(row.name))")
            }
            for record in known { edit.remove(record) }
            return []
        }
    }

    static func noService(_ name: String) -> Problem {
        Problem(
            .networkNoService, "network \(shown(name)) has no DHCP and DNS of its own",
            hint: "the models nat and routed have, and isolated with --host-access")
    }

    /// Changes the saved definition and what is active.
    /// - Parameter change: says which leases are to end.
    private func edit(
        _ reference: Reference, _ context: RequestContext,
        _ change: (NetworkRow, Network, inout NetworkEdit) async throws -> [ForgottenLease]
    ) async throws -> Accepted {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, network) = try await managed(reference, context)
        do {
            let before = try await effects.existing(row.id).xml(inactive: true)
            var edit = NetworkEdit(try NetworkXML(parsing: before), isActive: network.state == .running)
            let release = try await change(row, network, &edit)
            var request = NetworkDefineOperation.Request(
                network: row.reference, before: before, after: edit.xml.xml)
            (request.live, request.release) = (edit.live, release)
            let diff = UnifiedDiff.text(before, edit.xml.xml)
            return try await act(
                NetworkDefineOperation.self, request, row, context, edit.sentences, diff: diff)
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }
}
