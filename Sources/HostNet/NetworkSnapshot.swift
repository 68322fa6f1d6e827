// SPDX-License-Identifier: Apache-2.0
import CNetlink
import FoundationEssentials
import Glibc

/// How some links of the host are, with their addresses and with every route that stands on them, to be
/// made so again. What is not understood here is kept as the kernel said it.
public struct NetworkSnapshot: Codable, Hashable, Sendable {
    /// A link that was there.
    struct SavedLink: Codable, Hashable, Sendable {
        var name: String
        var index: Int
        var alias: String?
        var isUp: Bool
        var mtu: Int
        /// The name of the bridge that it was a port of.
        var master: String?
        /// What it takes to make it again, of a bridge.
        var bridge: SavedBridge?
        /// What its bridge knows of it.
        var port: PortSettings?
        /// How the kernel treats IP on it.
        var sysctls: LinkSysctls?
    }

    struct SavedBridge: Codable, Hashable, Sendable {
        var mac: String?
        var stp: Bool
        var vlanAware: Bool
    }

    /// Links that were not there: with this alias they go again.
    struct Absent: Codable, Hashable, Sendable {
        var name: String
        var alias: String
    }

    var links: [SavedLink]
    var absent: [Absent]
    var addresses: [KernelMessage]
    var routes: [KernelMessage]
    /// The names of other links that routes go over, by their numbers then.
    var others: [Int: String]?
    /// When it was taken, in seconds since the host's start.
    var takenAt: Int

    /// Looks at the links of these names.
    /// - Parameter alias: what a link bears that is made under one of the names that are free now.
    /// - Throws: ``HostNetError``.
    public init(of names: [String], alias: String) throws {
        let all = try Links.all()
        let found = all.filter { names.contains($0.name) }
        let known = Set(found.map(\.name))
        absent = names.filter { !known.contains($0) }.map { Absent(name: $0, alias: alias) }
        let ports = try PortSettings.all()
        links = found.map { link in
            SavedLink(
                name: link.name, index: link.index, alias: link.alias, isUp: link.isUp, mtu: link.mtu,
                master: all.first { $0.index == link.master }?.name,
                bridge: link.kind == .bridge ? SavedBridge(link) : nil, port: ports[link.index],
                sysctls: LinkSysctls(of: link.name))
        }
        let indices = Set(found.map(\.index))
        addresses = try RouteSocket().addressMessages().filter { message in
            Address(message).map { indices.contains($0.link) } == true
        }
        let own = Set(addresses.compactMap { Address($0)?.bytes })
        routes = try RouteSocket().routeMessages().filter {
            RouteView($0)?.stands(on: indices, or: own) == true
        }
        let used = Set(routes.compactMap { RouteView($0) }.flatMap(\.links)).subtracting(indices)
        let pairs = all.filter { used.contains($0.index) }.map { ($0.index, $0.name) }
        others = Dictionary(pairs) { first, _ in first }
        takenAt = BootClock.seconds
    }

    /// What of it is the host's own and lasts, to be made again after a reboot. Not what ends by itself, what
    /// another program has put there and tells by its number (`IFA_PROTO`, `RTA_PROTOCOL`: keepalived, BIRD),
    /// nor single addresses (/32, /128) beside one of a network that they are in: so clusters make theirs,
    /// and this host may no longer be their owner.
    public func kept() -> NetworkSnapshot {
        var kept = self
        let views = addresses.compactMap(AddressView.init)
        let (own, others) = (
            views.filter { $0.isHosts(among: views) }, views.filter { !$0.isHosts(among: views) }
        )
        let lost = Set(others.compactMap { Address($0.message)?.bytes })
        kept.addresses = own.map(\.message)
        kept.routes = routes.filter { message in
            RouteView(message).map { $0.isHosts && !$0.stands(on: [], or: lost) } ?? false
        }
        return kept
    }

    /// Whether the links of these names had an address that is not of the link alone, or a route that
    /// somebody made.
    public func carriesSomething(_ names: [String]) -> Bool {
        let indices = Set(links.filter { names.contains($0.name) }.map(\.index))
        return addresses.compactMap { Address($0) }.contains { indices.contains($0.link) && !$0.isLinkLocal }
            || routes.contains {
                RouteView($0).map { !$0.isKernels && $0.links.contains(where: indices.contains) } == true
            }
    }

    /// The addresses that end neither by themselves nor with their link.
    public var lastingAddresses: [Address] {
        addresses.compactMap { Address($0) }.filter { !$0.isTemporary && !$0.isLinkLocal }
    }

    /// Whether a route says its way by the number of another object, which nobody here moves.
    public var hasNexthopObjects: Bool { routes.contains { RouteView($0)?.isByNexthopObject == true } }

    /// Whether the host's way to everywhere else went over one of the links.
    public func hasDefaultRoute(_ names: [String]) -> Bool {
        let indices = Set(links.filter { names.contains($0.name) }.map(\.index))
        return routes.compactMap { RouteView($0) }.contains { route in
            route.isDefault && route.links.contains(where: indices.contains)
        }
    }
}

extension NetworkSnapshot.SavedBridge {
    fileprivate init(_ link: Link) {
        mac = link.mac
        stp = Bridges.hasSTP(link.name)
        vlanAware = Bridges.isVLANAware(link.name)
    }
}

/// The clock that nobody sets: seconds since the host's start, those of a suspended host, too.
public enum BootClock {
    /// Whole seconds.
    public static var seconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return time.tv_sec
    }

    /// Which start of the host this is.
    public static let boot: String = {
        let data = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
        let text = String(decoding: data.prefix { $0 != 0x0A }, as: UTF8.self)
        return text.isEmpty ? "unknown" : text
    }()
}

extension RouteSocket {
    func addressMessages() throws -> [KernelMessage] { try dump("list the addresses", Int(RTM_GETADDR)) }

    /// Those of all tables but the one that the kernel fills by itself.
    func routeMessages() throws -> [KernelMessage] {
        try dump("list the routes", Int(RTM_GETROUTE)).filter { RouteView($0)?.isOfUse == true }
    }
}
