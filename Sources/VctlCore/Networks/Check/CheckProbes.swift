// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import VctlAPI

/// The probes of a network's check: two that are on its bridge as guests are, and one behind the host. Each
/// is a network namespace that nobody else is in. Used by one thread alone, which is its own.
final class CheckProbes {
    /// A probe, and the cable to it.
    private struct Probe {
        let space: NetworkSpace
        /// The cable's end at the host.
        let hostEnd: Int
        /// Its other end.
        let link: Int
        let mac: [UInt8]
    }

    private let plan: CheckPlan
    private let home: NetworkSpace
    private var probes: [Probe] = []
    private(set) var families: [CheckFamily]
    private(set) var notes: [String] = []
    /// What DHCP has offered to each guest.
    private(set) var offers: [IPAddress?] = [nil, nil]
    /// Those without a way to the outside, which the host does not have here.
    private(set) var confined: Set<IPFamily> = []

    /// Puts the probes where they belong.
    /// - Throws: ``HostNetError``.
    init(_ plan: CheckPlan) throws {
        self.plan = plan
        families = plan.families
        home = try NetworkSpace()
        try Self.removeRests(plan.cable)
        guard let bridge = try Links.all().first(where: { $0.name == plan.bridge && $0.kind == .bridge })
        else {
            throw HostNetError(
                call: "find the bridge \(plan.bridge)", errno: ENODEV, message: "no such bridge")
        }
        do {
            for place in 0..<3 { try connect(place, to: place < 2 ? bridge : nil) }
            try awaitForwarding()
            if families.contains(where: \.asksDHCP) { try askDHCP() }
            for family in families { try address(family, bridge) }
        } catch {
            remove()
            throw error
        }
    }

    /// Takes them away. The kernel would, too, once nobody holds the namespaces any more.
    func remove() {
        try? home.enter()
        try? Self.removeRests(plan.cable)
        probes = []
    }

    /// Removes what is left of probes, of this run or another.
    /// - Parameter cable: what their cables are called, with a digit behind it.
    static func removeRests(_ cable: String) throws {
        for link in try Links.all() where link.name.hasPrefix(cable) && link.name.count == cable.count + 1 {
            do { try Links.delete(link.index) } catch let error as HostNetError where error.errno == ENODEV {}
        }
    }

    var bridge: String { plan.bridge }

    /// A thread that opens a socket here opens it there.
    func inside<T>(_ end: NetworkEnd, _ body: () throws -> T) throws -> T {
        try space(end).enter()
        defer { try? home.enter() }
        return try body()
    }

    private func space(_ end: NetworkEnd) -> NetworkSpace {
        switch end {
        case .guest: probes[0].space
        case .neighbour: probes[1].space
        case .outside: probes[2].space
        case .host, .dhcp: home
        }
    }

    // MARK: Cables

    private func connect(_ place: Int, to bridge: Link?) throws {
        let space = try NetworkSpace.made()
        Self.quieten()
        try home.enter()
        let random = (0..<3).map { _ in UInt8.random(in: 0...255) }
        // A bridge takes the least MAC of its ports for its own: it must not be this one's.
        let (mac, far) = ([0xFE, 0x54, 0x00] + random, [0x52, 0x54, 0x00] + random)
        let name = "\(plan.cable)\(place)"
        let cable = Cable(name: name, mac: mac, peer: "eth0", peerMAC: far, mtu: bridge?.mtu ?? 1500)
        try cable.lay(to: space)
        guard let near = try Links.all().first(where: { $0.name == name }) else {
            throw HostNetError(call: "lay cable \(name)", errno: ENODEV, message: "it was removed")
        }
        var change = LinkChange()
        change.alias = plan.alias
        try Links.change(near.index, change)
        change = LinkChange()
        (change.master, change.isUp) = (bridge?.index, true)
        try Links.change(near.index, change)
        try space.enter()
        defer { try? home.enter() }
        change = LinkChange()
        change.isUp = true
        for link in try Links.all() where ["lo", "eth0"].contains(link.name) {
            try Links.change(link.index, change)
            if link.name == "eth0" {
                probes.append(Probe(space: space, hostEnd: near.index, link: link.index, mac: far))
            }
        }
    }

    /// In the namespace of the calling thread: takes what comes, and believes no router.
    private static func quieten() {
        for (name, value) in [
            ("ipv4/conf/all/rp_filter", "0"), ("ipv4/conf/default/rp_filter", "0"),
            ("ipv6/conf/default/accept_ra", "0"), ("ipv6/conf/default/accept_dad", "0"),
            ("ipv6/conf/all/disable_ipv6", "0"), ("ipv6/conf/default/disable_ipv6", "0"),
        ] {
            try? Data(value.utf8).write(to: URL(fileURLWithPath: "/proc/sys/net/\(name)"))
        }
    }

    /// A bridge with a spanning tree lets nothing through a new port at first; and one that had no port until
    /// now has yet to find out whether its IPv6 addresses are somebody else's, and uses others so long.
    private func awaitForwarding() throws {
        let files = HostFiles()
        for _ in 0..<700 {
            let states = (0..<2).map { files.text("/sys/class/net/\(plan.cable)\($0)/brport/state") }
            if states.allSatisfy({ $0 == "3" || $0 == nil }), !hasTentative(files) { return }
            usleep(50_000)
        }
        notes.append("bridge \(plan.bridge) does not let packets of new ports through after 35 s")
    }

    /// `fd63…01 05 40 00 c0 vbr1`: the fifth field holds flags.
    private func hasTentative(_ files: HostFiles) -> Bool {
        let tentative: UInt32 = 0x40
        return files.lines("/proc/net/if_inet6").contains { line in
            let fields = line.split(separator: " ")
            guard fields.count == 6, fields[5] == plan.bridge, let flags = UInt32(fields[4], radix: 16) else {
                return false
            }
            return flags & tentative != 0
        }
    }

    // MARK: Addresses

    private func address(_ family: CheckFamily, _ bridge: Link) throws {
        try addOutside(family)
        guard let index = families.firstIndex(where: { $0.family == family.family }) else { return }
        if family.family == .ipv4, family.isOwn { takeOffers(index) }
        let family = families[index]
        for (place, address) in family.guests.enumerated() {
            try inside(place == 0 ? .guest : .neighbour) {
                let link = LinkPlace(link: probes[place].link)
                try link.add(address: address.bytes, prefix: family.subnet.prefix)
                try leadOut(link, family, bridge)
            }
        }
    }

    private func takeOffers(_ index: Int) {
        var guests = offers.compactMap { $0 }.filter { families[index].subnet.contains($0) }
        for address in families[index].guests where guests.count < 2 && !guests.contains(address) {
            guests.append(address)
        }
        if guests.count == 2, guests[0] != guests[1] { families[index].guests = guests }
    }

    private func addOutside(_ family: CheckFamily) throws {
        let probe = probes[2]
        do {
            try LinkPlace(link: probe.hostEnd).add(
                address: family.hostOutside.bytes, prefix: family.outside.prefix)
        } catch let error as HostNetError {
            confined.insert(family.family)
            notes.append("no way to the outside by \(family.family.words): \(error.message)")
            return
        }
        try inside(.outside) {
            let link = LinkPlace(link: probe.link)
            try link.add(address: family.outsider.bytes, prefix: family.outside.prefix)
            try link.add(routeTo: family.everything, prefix: 0, via: family.hostOutside.bytes)
        }
    }

    /// Where the host has no address that guests know, they find it nevertheless: as somebody would who wants
    /// to get out.
    private func leadOut(_ link: LinkPlace, _ family: CheckFamily, _ bridge: Link) throws {
        if family.gateway == nil, let mac = bridge.mac.map(Self.bytes), mac.count == 6 {
            try link.add(routeTo: family.host.bytes, prefix: family.family.bits)
            try link.add(neighbour: family.host.bytes, mac: mac)
        }
        guard family.rule != .peers else { return }
        try link.add(routeTo: family.everything, prefix: 0, via: family.host.bytes)
    }

    private static func bytes(_ mac: String) -> [UInt8] {
        mac.split(separator: ":").compactMap { UInt8($0, radix: 16) }
    }

    // MARK: DHCP

    private func askDHCP() throws {
        let sockets = try (0..<2).map { place in
            try inside(place == 0 ? .guest : .neighbour) {
                try ProbeSocket(isLong: false, .udp, port: 68, link: "eth0")
            }
        }
        let numbers = (0..<2).map { _ in UInt32.random(in: 1...UInt32.max) }
        let isPromised = !families.contains { $0.rule == .peers }
        // dnsmasq may look for three seconds whether an address is in use.
        let patience = Stopwatch(seconds: isPromised ? 10 : 5)
        var round = 0
        while !patience.isOver, offers.contains(nil) {
            for place in 0..<2 where offers[place] == nil {
                if round % 25 == 0 {
                    let message = DHCPDiscovery.message(mac: probes[place].mac, number: numbers[place])
                    sockets[place].send(message, to: [255, 255, 255, 255], port: 67)
                }
                while let packet = sockets[place].receive() {
                    guard let offer = DHCPDiscovery.offer(packet.bytes, number: numbers[place]) else {
                        continue
                    }
                    offers[place] = IPAddress(bytes: offer)
                }
            }
            round += 1
            usleep(20_000)
        }
    }
}

/// Whether so many seconds have passed.
struct Stopwatch {
    private let end: ContinuousClock.Instant

    init(seconds: Double) { end = .now + .seconds(seconds) }
    var isOver: Bool { ContinuousClock.now >= end }
}

extension CheckFamily {
    /// The address of the default route.
    var everything: [UInt8] { IPAddress(family, 0).bytes }
}

extension IPAddress {
    /// In the order of the wire.
    var bytes: [UInt8] {
        (0..<family.bits / 8).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    init(bytes: [UInt8]) {
        self.init(bytes.count == 4 ? .ipv4 : .ipv6, bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) })
    }
}
