// SPDX-License-Identifier: Apache-2.0
import HostNet
import Libvirt
import VctlAPI
import VirtXML

/// A lease that has to end, so that its address can be given to whom it is reserved for.
struct ForgottenLease: Codable, Hashable, Sendable {
    var address: IPAddress
    var mac: String
    var identifier: String?
    var bridge: String
    var server: IPAddress

    /// Tells the server in the client's name; that the lease is gone already is as good.
    func end() throws {
        let bytes = { (address: IPAddress) in
            (0..<4).reversed().map { UInt8(truncatingIfNeeded: address.number >> (8 * $0)) }
        }
        let hex = { (text: String) in text.split(separator: ":").compactMap { UInt8($0, radix: 16) } }
        guard address.family == .ipv4, hex(mac).count == 6 else { return }
        try DHCPRelease.send(
            address: bytes(address), mac: hex(mac), identifier: identifier.map(hex), server: bytes(server),
            by: bridge)
    }
}

/// Chooses an address to keep for a NIC.
struct Reserving: Sendable {
    let environment: VMEnvironment
    let network: Network

    /// What is kept, and which leases of others are in its way.
    struct Choice {
        var reservation: NetworkReservation
        var release: [ForgottenLease]
    }

    /// - Throws: ``Problem`` `network.noService`, `network.reserved`, `network.inUse`, `request.invalid`.
    func choose(
        _ request: NetworkReserve, _ nic: NetworkService.ReservedNIC, _ xml: NetworkXML, force: Bool
    ) async throws -> Choice {
        guard let subnet = network.subnet, network.dhcpRanges.contains(where: { $0.family == .ipv4 }) else {
            throw NetworkService.noService(network.name)
        }
        let owners = try await environment.inventory.read { try MACStore.taken($0) }
        let kept = xml.reservations(owners)
        if let mine = kept.first(where: { $0.mac == nic.mac }) {
            throw Self.reserved(mine, network.name)
        }
        let handle = try await NetworkEffects(environment: environment).existing(network.id)
        let leases =
            network.state == .running ? try await NetworkService.leases(of: handle) : []
        let address = try request.address ?? choose(nic, subnet, kept, leases)
        try check(address, subnet, kept)
        let others = leases.filter { $0.address == address.description && $0.mac?.lowercased() != nic.mac }
        try refuse(others, owners, force: force)
        let reservation = NetworkReservation(
            mac: nic.mac, address: address, vm: nic.vm?.name,
            hostname: nic.vm.map(\.name).flatMap { Self.isHostname($0) ? $0 : nil })
        return Choice(reservation: reservation, release: others.compactMap(forgotten))
    }

    static func reserved(_ other: NetworkReservation, _ network: String) -> Problem {
        let whose = other.vm.map { "VM \(shown($0))" } ?? other.mac
        return Problem(
            .networkReserved, "\(other.address) is kept for \(whose) already",
            hint: "vctl network reservation remove \(shown(network)) \(other.address)")
    }

    /// libvirt wants a letter at the beginning.
    static func isHostname(_ name: String) -> Bool {
        NetworkRules.domainProblems(name).isEmpty && !name.contains(".") && name.first?.isLetter == true
    }

    /// What the NIC has now, else one that nobody has.
    private func choose(
        _ nic: NetworkService.ReservedNIC, _ subnet: Subnet, _ kept: [NetworkReservation],
        _ leases: [DHCPLease]
    ) throws -> IPAddress {
        let taken = Set(kept.map(\.address) + network.hostAddresses)
        let own =
            leases.filter { $0.mac?.lowercased() == nic.mac }.compactMap { IPAddress($0.address) }
            + (nic.vm?.nics.first { $0.mac == nic.mac }?.addresses ?? []).compactMap { IPAddress($0.address) }
        if let now = own.first(where: { subnet.contains($0) && !taken.contains($0) }) { return now }
        let leased = Set(leases.compactMap { IPAddress($0.address) })
        for range in network.dhcpRanges where range.family == .ipv4 {
            for number in range.first.number...range.last.number {
                let address = IPAddress(.ipv4, number)
                if !taken.contains(address), !leased.contains(address) { return address }
            }
        }
        throw Problem(
            .networkReserved, "every address that DHCP gives away is kept or given",
            hint: "vctl network set \(shown(network.name)) --dhcp-range A-B")
    }

    private func check(_ address: IPAddress, _ subnet: Subnet, _ kept: [NetworkReservation]) throws {
        guard subnet.contains(address), address != subnet.address, address != subnet.last,
            !network.hostAddresses.contains(address)
        else {
            let problem = "no guest of \(subnet) can have \(address)"
            throw Problem(
                .requestInvalid, "address: \(problem)", errors: [FieldProblem("address", problem)])
        }
        if let other = kept.first(where: { $0.address == address }) {
            throw Self.reserved(other, network.name)
        }
    }

    /// A guest that runs goes on with its address, whatever we do.
    private func refuse(_ leases: [DHCPLease], _ owners: [String: String], force: Bool) throws {
        guard !force, let lease = leases.first(where: { owners[$0.mac?.lowercased() ?? ""] != nil }),
            let owner = lease.mac.flatMap({ owners[$0.lowercased()] })
        else { return }
        throw Problem(
            .networkInUse, "\(lease.address) is given to VM \(shown(owner))",
            hint: "choose another address, or --force: that VM gets a new one when it asks again")
    }

    private func forgotten(_ lease: DHCPLease) -> ForgottenLease? {
        guard let address = IPAddress(lease.address), let mac = lease.mac, let bridge = network.bridge,
            let server = network.hostAddresses.first(where: { $0.family == .ipv4 })
        else { return nil }
        return ForgottenLease(
            address: address, mac: mac, identifier: lease.clientID, bridge: bridge, server: server)
    }
}

extension NetworkXML {
    /// The addresses that it keeps.
    /// - Parameter owners: VMs by their MACs.
    func reservations(_ owners: [String: String]) -> [NetworkReservation] {
        self.ips.flatMap { ip in
            ip.dhcpHosts.compactMap { host in
                guard let mac = host.mac?.lowercased(), let address = host.ip.flatMap({ IPAddress($0) })
                else { return nil }
                return NetworkReservation(
                    mac: mac, address: address, vm: owners[mac], hostname: host.name)
            }
        }
    }

    /// The names that were added.
    var records: [NetworkRecord] {
        self.dnsHosts.flatMap { host in
            guard let address = host.ip.flatMap({ IPAddress($0) }) else { return [NetworkRecord]() }
            return host.hostnames.map { NetworkRecord(name: $0, address: address) }
        }
    }
}

extension NetworkEdit {
    /// Keeps an address.
    mutating func reserve(_ reservation: NetworkReservation, as vm: VM?) throws {
        guard let index = place(of: reservation.address) else {
            throw NetworkService.noService(xml.name ?? "")
        }
        var host = DhcpHostXML()
        (host.mac, host.name, host.ip) = (
            reservation.mac, reservation.hostname, reservation.address.description
        )
        // libvirt knows no two of one name.
        if xml.ips[index].dhcpHosts.contains(where: { $0.name == host.name }) { host.name = nil }
        change(host, at: index, adds: true)
        sentences.append("keep \(reservation.address) for \(vm.map { "VM \($0.name)" } ?? reservation.mac)")
    }

    /// Keeps it no more.
    mutating func unreserve(_ reservation: NetworkReservation) {
        guard let index = place(of: reservation.address) else { return }
        let hosts = xml.ips[index].dhcpHosts
        for host in hosts where host.ip == reservation.address.description {
            change(host, at: index, adds: false)
        }
        sentences.append("keep \(reservation.address) no more")
    }

    private func place(of address: IPAddress) -> Int? {
        xml.ips.firstIndex { $0.subnet?.contains(address) ?? false }
    }

    private mutating func change(_ host: DhcpHostXML, at index: Int, adds: Bool) {
        var ips = xml.ips
        if adds { ips[index].dhcpHosts.append(host) } else { ips[index].dhcpHosts.removeAll { $0 == host } }
        xml.ips = ips
        update(.host, adds: adds, Int32(index), host.element)
    }

    /// libvirt has all names of an address in one element.
    mutating func add(_ record: NetworkRecord) throws {
        guard !xml.records.contains(record) else {
            throw Problem(
                .networkReserved, "\(record.name) is \(record.address) already",
                hint: "vctl network dns list \(shown(xml.name ?? ""))")
        }
        let other = xml.records.first { $0.name == record.name }
        // virNetworkUpdate wants each name once, in all of its elements.
        if let other, isActive {
            let name = shown(xml.name ?? "")
            throw Problem(
                .networkRestart,
                "\(record.name) is \(other.address) already, and libvirt adds a second address "
                    + "only while the network is off",
                hint: "vctl network stop \(name), then add it, and vctl network start \(name)")
        }
        change(record.address) { $0.append(record.name) }
        sentences.append("let \(record.name) be \(record.address)")
    }

    mutating func remove(_ record: NetworkRecord) {
        change(record.address) { $0.removeAll { $0 == record.name } }
        sentences.append("let \(record.name) be \(record.address) no more")
    }

    private mutating func change(_ address: IPAddress, _ names: (inout [String]) -> Void) {
        var hosts = xml.dnsHosts
        let index = hosts.firstIndex { $0.ip == address.description }
        var host = index.map { hosts[$0] } ?? DnsHostXML()
        host.ip = address.description
        if let index {
            // By the address alone: a name may have others.
            var old = DnsHostXML()
            old.ip = host.ip
            update(.name, adds: false, -1, old.element)
            hosts.remove(at: index)
        }
        var known = host.hostnames
        names(&known)
        host.hostnames = known
        if !known.isEmpty {
            hosts.append(host)
            update(.name, adds: true, -1, host.element)
        }
        xml.dnsHosts = hosts
    }

    private mutating func update(
        _ section: NetworkUpdate.Section, adds: Bool, _ parent: Int32, _ element: Element
    ) {
        guard isActive else { return }
        let text = Document(root: element).serialized()
        live.append(NetworkUpdate(section: section, adds: adds, parent: parent, xml: text))
    }
}
