// SPDX-License-Identifier: Apache-2.0
import GRDB
import Libvirt
import VctlAPI
import VirtXML

extension NetworkService {
    /// The ports of the host that lead to VMs of a network.
    public func forwards(_ reference: Reference, _ query: ListQuery) async throws -> Rendered {
        try await inventory.read { db in
            let forwards = try ForwardStore.all(db, of: try NetworkStore.get(db, reference).id)
            return Rendered(
                json: try FieldFilter.array(try forwards.map { try JSON.text($0) }, query.fields, db))
        }
    }

    /// Lets ports of the host lead to a VM.
    /// - Throws: ``Problem`` `forward.taken` where a forward or a program has them, `network.noService`.
    public func forward(_ reference: Reference, _ request: NetworkForwardCreate, _ context: RequestContext)
        async throws -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, network) = try await managed(reference, context)
        let address = request.address ?? IPAddress(.ipv4, 0)
        try refuse(request, network, address)
        do {
            let (target, nic, reserve) = try await self.target(request, row, network, address.family, context)
            guard let vm = nic.vm else { throw Problem(.internalError, "a forward leads to a VM") }
            let first = request.vmPort ?? request.ports.first
            let ports = PortRange(first, first + request.ports.count - 1) ?? request.ports
            let forward = NetworkForward(
                id: ObjectID(), network: row.name, networkID: row.id, protocol: request.protocol,
                address: address, ports: request.ports, vm: vm.name, vmID: vm.id, mac: nic.mac,
                vmAddress: target, vmPorts: ports, createdAt: .now)
            let operation = NetworkForwardOperation.Request(forward: forward, adds: true, reserve: reserve)
            let kept = reserve == nil ? [] : ["keep \(target) for VM \(vm.name)"]
            return try await accept(
                operation, row, context, kept + ["forward \(forward.key) to \(vm.name) at \(target)"]
            ) { try $0.insert(forward) }
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }

    /// Forwards ports no more.
    /// - Throws: ``Problem`` `forward.notFound`.
    public func unforward(_ reference: Reference, _ what: String, _ context: RequestContext) async throws
        -> Accepted
    {
        if let earlier = try await acceptance.earlier(context) { return earlier }
        let (row, _) = try await managed(reference, context)
        let known = try await inventory.read { try ForwardStore.all($0, of: row.id) }
        let meant = known.filter {
            $0.id.rawValue == what || $0.key == what || "\($0.protocol.rawValue):\($0.ports)" == what
        }
        guard let forward = meant.first, meant.count == 1 else {
            let hint = "vctl network forward list \(shown(row.name))"
            guard meant.isEmpty else {
                throw Problem(
                    .requestInvalid, "\(shown(what)) is more than one forward", hint: hint,
                    errors: [FieldProblem("forward", meant.map(\.key).joined(separator: ", "))])
            }
            throw Problem(
                .forwardNotFound, "network \(shown(row.name)) has no forward \(shown(what))", hint: hint)
        }
        let operation = NetworkForwardOperation.Request(forward: forward, adds: false)
        return try await accept(operation, row, context, ["forward \(forward.key) no more"])
    }

    private func accept(
        _ request: NetworkForwardOperation.Request, _ row: NetworkRow, _ context: RequestContext,
        _ changes: [String], reserve: @escaping @Sendable (Transaction) throws -> Void = { _ in }
    ) async throws -> Accepted {
        guard !context.dryRun else {
            return .preview(Preview(action: context.action, target: row.name, changes: changes))
        }
        let new = try NewOperation(
            NetworkForwardOperation.self, request, resources: [row.reference], claims: Claim.whole(row.id),
            requestor: context.caller.requestor)
        return try await acceptance.accept(new, context, target: row.name, reserve: reserve)
    }

    // MARK: Rules

    private func refuse(_ request: NetworkForwardCreate, _ network: Network, _ address: IPAddress) throws {
        guard network.mode == "open" else {
            throw Problem(
                .networkNoService,
                network.mode == "nat"
                    ? "libvirt's own NAT of network \(shown(network.name)) refuses what comes in"
                    : "network \(shown(network.name)) leads nowhere that could be forwarded from",
                hint: "vctl network create NAME --model nat makes one that can")
        }
        let first = request.vmPort ?? request.ports.first
        guard (1...65_536 - request.ports.count).contains(first) else {
            throw Problem(
                .requestInvalid, "vmPort: from 1 to 65535",
                errors: [FieldProblem("vmPort", "from 1 to 65535")])
        }
        guard first == request.ports.first || request.ports.count <= 1024 else {
            let problem = "at most 1024 that have other numbers in the VM"
            throw Problem(.requestInvalid, "ports: \(problem)", errors: [FieldProblem("ports", problem)])
        }
        if environment.firewall.isReal, address.number != 0, !HostAddresses.has(address) {
            throw Problem(
                .requestInvalid, "address: the host does not have \(address)", hint: "ip address",
                errors: [FieldProblem("address", "one of the host's, or none for all")])
        }
        let listening = ListeningPorts().first(of: request.ports, request.protocol, at: address)
        if let port = listening, environment.firewall.isReal {
            throw Problem(
                .forwardTaken, "a program of the host listens on \(request.protocol.rawValue) port \(port)",
                hint: "ss -lnp --\(request.protocol.rawValue) 'sport = \(port)'")
        }
    }

    /// Where a forward leads to, and how that address is kept.
    private func target(
        _ request: NetworkForwardCreate, _ row: NetworkRow, _ network: Network, _ family: IPFamily,
        _ context: RequestContext
    ) async throws -> (IPAddress, ReservedNIC, NetworkDefineOperation.Request?) {
        var wanted = NetworkReserve()
        wanted.vm = request.vm
        let nic = try await self.nic(wanted, on: network)
        guard family == .ipv4 else { return (try address6(nic, network), nic, nil) }
        let before = try await effects.existing(row.id).xml(inactive: true)
        var edit = NetworkEdit(try NetworkXML(parsing: before), isActive: network.state == .running)
        if let kept = edit.xml.reservations([:]).first(where: { $0.mac == nic.mac }) {
            return (kept.address, nic, nil)
        }
        let choice = try await Reserving(environment: environment, network: network).choose(
            wanted, nic, edit.xml, force: false)
        try edit.reserve(choice.reservation, as: nic.vm)
        var define = NetworkDefineOperation.Request(
            network: row.reference, before: before, after: edit.xml.xml)
        (define.live, define.release) = (edit.live, choice.release)
        return (choice.reservation.address, nic, define)
    }

    /// IPv6 addresses are the guests' own choice: the one that it has.
    private func address6(_ nic: ReservedNIC, _ network: Network) throws -> IPAddress {
        let known = (nic.vm?.nics.first { $0.mac == nic.mac }?.addresses ?? []).compactMap {
            IPAddress($0.address)
        }
        if let subnet = network.subnet6, let address = known.first(where: subnet.contains) { return address }
        throw Problem(
            .networkNoService, "VM \(shown(nic.vm?.name ?? "")) has no IPv6 address on it that is known",
            hint: "vctl vm show \(shown(nic.vm?.name ?? ""))")
    }
}
