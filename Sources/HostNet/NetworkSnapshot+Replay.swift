// SPDX-License-Identifier: Apache-2.0
import CNetlink
import Glibc

extension NetworkSnapshot {
    /// Makes everything so as it was. May be done again after it broke off, and where nothing is different it
    /// changes nothing. It looks afterwards whether everything is so.
    /// - Throws: ``HostNetError`` for the first thing that could not be made so, after all others were tried.
    public func restore() throws {
        var failures: [any Error] = []
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch { failures.append(error) }
        }
        for link in links { attempt { try makeAgain(link) } }
        for link in links { attempt { try restore(link) } }
        for link in absent { attempt { try remove(link) } }
        attempt { try restoreAddresses() }
        attempt { try restoreRoutes() }
        if let first = failures.first { throw first }
        try awaitSameness()
    }

    /// Some things the kernel does a moment later, as giving a link its own address.
    private func awaitSameness() throws {
        for _ in 0..<50 {
            if try differences().isEmpty { return }
            usleep(100_000)
        }
        guard let first = try differences().first else { return }
        throw HostNetError(call: "restore", errno: 0, message: first)
    }

    private func makeAgain(_ saved: SavedLink) throws {
        guard let bridge = saved.bridge, try Links.named(saved.name) == nil else { return }
        try Bridges.make(
            BridgeSpec(
                name: saved.name, mac: bridge.mac.flatMap(Self.bytes), stp: bridge.stp,
                vlanAware: bridge.vlanAware))
        guard let link = try Links.named(saved.name) else { return }
        var change = LinkChange()
        (change.alias, change.mtu) = (saved.alias, saved.mtu)
        try Links.change(link.index, change)
    }

    private static func bytes(_ mac: String) -> [UInt8]? {
        let bytes = mac.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        return bytes.count == 6 ? bytes : nil
    }

    private func restore(_ saved: SavedLink) throws {
        let all = try Links.all()
        guard let link = all.first(where: { $0.name == saved.name }) else { return }
        var change = LinkChange()
        let master = saved.master.flatMap { name in all.first { $0.name == name }?.index }
        if link.master != master { change.master = master ?? 0 }
        if link.mtu != saved.mtu { change.mtu = saved.mtu }
        if let mac = saved.bridge?.mac, mac != link.mac { change.mac = Self.bytes(mac) }
        if change != LinkChange() { try Links.change(link.index, change) }
        if let bridge = saved.bridge, bridge.stp != Bridges.hasSTP(saved.name) {
            try Bridges.setSTP(link.index, bridge.stp)
        }
        try saved.port?.apply(to: link.index)
        // Before addresses come back: some do not come where IPv6 is off.
        saved.sysctls?.apply(to: saved.name)
        guard link.isUp != saved.isUp else { return }
        change = LinkChange()
        change.isUp = saved.isUp
        try Links.change(link.index, change)
    }

    private func remove(_ absent: Absent) throws {
        guard let link = try Links.named(absent.name), link.alias == absent.alias else { return }
        try Links.delete(link.index)
    }

    /// What is not as it was, a sentence each.
    func differences() throws -> [String] {
        let (all, ports) = (try Links.all(), try PortSettings.all())
        var found = absent.compactMap { absent in
            all.contains { $0.name == absent.name && $0.alias == absent.alias }
                ? "\(absent.name) is still there" : nil
        }
        for saved in links {
            let link = all.first { $0.name == saved.name }
            // A card that was pulled out comes back with nobody's help, if at all.
            if link == nil, saved.bridge == nil { continue }
            let master = all.first { $0.index == link?.master }?.name
            let hasOtherSTP = saved.bridge.map { $0.stp != Bridges.hasSTP(saved.name) } ?? false
            let hasOtherPort = saved.port.map { port in ports[link?.index ?? 0] != port } ?? false
            if link?.isUp != saved.isUp || link?.mtu != saved.mtu || master != saved.master || hasOtherSTP
                || hasOtherPort
            {
                found.append("\(saved.name) is not as it was")
            }
        }
        return try found + differencesOfAddresses() + differencesOfRoutes()
    }

    /// What ends by itself may have ended, or have come.
    private func differencesOfAddresses() throws -> [String] {
        let numbers = try numbers()
        let now = try RouteSocket().addressMessages()
        func lasting(_ all: [KernelMessage], _ index: Int) -> [String] {
            let views = all.filter { Address($0)?.link == index }.compactMap(AddressView.init)
            return AddressView.sameness(views.filter { !$0.isTemporary })
        }
        return links.compactMap { saved in
            guard let number = numbers[saved.index] else { return nil }
            let then = lasting(addresses, saved.index)
            let present = lasting(now, number)
            guard then != present else { return nil }
            let texts = [present, then].map { $0.joined(separator: " ") }
            return "\(saved.name) has the addresses \(texts[0]) and had \(texts[1])"
        }
    }

    private func differencesOfRoutes() throws -> [String] {
        let numbers = try numbers()
        let now = try RouteSocket().routeMessages().compactMap { RouteView($0) }.filter { !$0.isTemporary }
        let then = try wanted(numbers).filter { !$0.isTemporary }.map(\.identity)
        let (present, indices) = (Set(now.map(\.identity)), Set(numbers.values))
        let extra = now.contains { route in
            route.links.contains(where: indices.contains) && !then.contains(route.identity)
        }
        return extra || !present.isSuperset(of: then) ? ["the routes are not as they were"] : []
    }

    /// The routes with the numbers that links have now, but those over a link that is gone.
    private func wanted(_ numbers: [Int: Int]) throws -> [RouteView] {
        let numbers = try numbers.merging(numbersOfOthers()) { own, _ in own }
        let gone = Set(links.map(\.index)).union((others ?? [:]).keys).subtracting(numbers.keys)
        return routes.compactMap { RouteView($0) }.filter { gone.isDisjoint(with: $0.links) }.map {
            RouteView($0.remade(numbers)) ?? $0
        }
    }

    /// The numbers that other links have now which routes go over, by those that they had.
    private func numbersOfOthers() throws -> [Int: Int] {
        let now = Dictionary(try Links.all().map { ($0.name, $0.index) }) { first, _ in first }
        return (others ?? [:]).compactMapValues { now[$0] }
    }

    /// The numbers that the links have now, by those that they had.
    private func numbers() throws -> [Int: Int] {
        let now = Dictionary(try Links.all().map { ($0.name, $0.index) }) { first, _ in first }
        let pairs = links.compactMap { link in now[link.name].map { (link.index, $0) } }
        return Dictionary(pairs) { first, _ in first }
    }

    private func restoreAddresses() throws {
        let numbers = try numbers()
        let now = try RouteSocket().addressMessages()
        for saved in links {
            guard let index = numbers[saved.index] else { continue }
            let (then, present) = (
                addresses.filter { Address($0)?.link == saved.index }.compactMap(AddressView.init),
                now.filter { Address($0)?.link == index }.compactMap(AddressView.init)
            )
            guard AddressView.sameness(then) != AddressView.sameness(present) else { continue }
            for extra in present
            where !extra.isKernels || !then.contains(where: { $0.identity == extra.identity }) {
                try? RouteSocket().send(extra.message, as: Int(RTM_DELADDR), flags: 0)
            }
            for address in AddressView.inOrderOfMaking(then) {
                try add(address, index, saved.name, saved.name)
            }
        }
    }

    private func add(_ address: AddressView, _ link: Int, _ old: String, _ new: String) throws {
        let elapsed = max(0, BootClock.seconds - takenAt)
        guard let message = address.remade(link, elapsed: elapsed, label: (old, new)) else { return }
        do {
            try RouteSocket().send(message, as: Int(RTM_NEWADDR), flags: NLM_F_CREATE | NLM_F_EXCL)
        } catch let error as HostNetError where error.errno == EEXIST {
            return
        }
    }

    private func restoreRoutes() throws {
        let numbers = try numbers()
        let wanted = try wanted(numbers)
        let indices = Set(numbers.values)
        let identities = Set(wanted.map(\.identity))
        var present: Set<KernelMessage> = []
        for route in try RouteSocket().routeMessages().compactMap({ RouteView($0) }) {
            present.insert(route.identity)
            guard route.links.contains(where: indices.contains), !identities.contains(route.identity) else {
                continue
            }
            try? RouteSocket().send(route.message, as: Int(RTM_DELROUTE), flags: 0)
        }
        try make(wanted.filter { !present.contains($0.identity) })
    }

    /// Routes need addresses that are no longer tentative, and routes to their gateways: so it is tried as
    /// long as there is hope.
    private func make(_ routes: [RouteView]) throws {
        var left = routes.sorted { !$0.hasGateway && $1.hasGateway }
        var failure: (any Error)?
        for round in 0..<50 where !left.isEmpty {
            if round > 0 { usleep(100_000) }
            left = left.filter { route in
                do {
                    try RouteSocket().send(
                        route.remade([:]), as: Int(RTM_NEWROUTE), flags: route.flagsOfMaking)
                } catch let error as HostNetError where error.errno == EEXIST {
                    return false
                } catch {
                    failure = error
                    return true
                }
                return false
            }
        }
        if !left.isEmpty, let failure { throw failure }
    }

    /// Gives what one link had to another one, addresses and routes, which the first one loses.
    /// - Throws: ``HostNetError``; half of it may be done then, and ``restore()`` brings it back.
    /// - Parameters:
    ///   - except: addresses that stay.
    ///   - lasting: without what ends by itself, which after a reboot is old.
    public func move(from: String, to: String, except: [Address] = [], lasting: Bool = false) throws {
        guard let saved = links.first(where: { $0.name == from }) else { return }
        let now = try Links.all()
        let source = now.first { $0.name == from }?.index
        guard let target = now.first(where: { $0.name == to })?.index else {
            throw HostNetError(call: "move \(from) to \(to)", errno: ENODEV, message: "no such link")
        }
        let staying = Set(except.map { $0.bytes + [UInt8($0.length)] })
        let all = addresses.filter { Address($0)?.link == saved.index }.compactMap(AddressView.init).filter {
            !staying.contains($0.identity) && !(lasting && $0.isTemporary)
        }
        // Those of the link alone stay, since every link has one; the other link gets the same beside its
        // own.
        for address in all where !address.isLinkLocal {
            if let source, let message = address.remade(source, elapsed: 0, label: (from, from)) {
                try? RouteSocket().send(message, as: Int(RTM_DELADDR), flags: 0)
            }
        }
        let moved = routes.compactMap { RouteView($0) }.filter {
            !$0.isKernels && !(lasting && $0.isTemporary)
        }
        let numbersOfOthers = try numbersOfOthers()
        // Not all routes go with the addresses, and one that stays would be a second way beside the new one.
        for route in moved where route.links.contains(saved.index) {
            guard let source else { continue }
            let message = route.remade(numbersOfOthers.merging([saved.index: source]) { $1 })
            try? RouteSocket().send(message, as: Int(RTM_DELROUTE), flags: 0)
        }
        try moveSysctls(saved, to, with: all, target)
        for address in AddressView.inOrderOfMaking(all) { try add(address, target, from, to) }
        let numbers = numbersOfOthers.merging([saved.index: target]) { $1 }
        let made = moved.filter { Set($0.links).isSubset(of: numbers.keys) }.compactMap {
            RouteView($0.remade(numbers))
        }
        try make(lasting ? Self.missing(made) : made)
        let lost = Set(moved.flatMap(\.links)).subtracting(numbers.keys).compactMap { others?[$0] }
        guard !lost.isEmpty else { return }
        throw HostNetError(
            call: "make a route", errno: ENODEV,
            message: "there is no link \(lost.sorted().joined(separator: ", "))")
    }
}

extension NetworkSnapshot {
    /// They come with addresses: where none comes, they are whatever somebody has made them since.
    private func moveSysctls(
        _ saved: SavedLink, _ name: String, with addresses: [AddressView], _ target: Int
    ) throws {
        let present = try RouteSocket().addressMessages().filter { Address($0)?.link == target }
        let there = Set(present.compactMap { AddressView($0)?.identity })
        let coming = addresses.filter { !$0.isLinkLocal }
        guard coming.isEmpty || !coming.allSatisfy({ there.contains($0.identity) }) else { return }
        saved.sysctls?.apply(to: name)
    }

    /// Those to destinations that there is no way to. A way that somebody has made since is not joined by an
    /// old one.
    private static func missing(_ routes: [RouteView]) throws -> [RouteView] {
        let present = Set(try RouteSocket().routeMessages().compactMap { RouteView($0)?.destination })
        return routes.filter { !present.contains($0.destination) }
    }
}

extension Links {
    /// The link of that name.
    static func named(_ name: String) throws -> Link? { try all().first { $0.name == name } }
}

extension RouteSocket {
    /// Sends what the kernel once said, as a request.
    func send(_ message: KernelMessage, as type: Int, flags: Int32) throws {
        guard let raw = nlmsg_alloc_simple(Int32(type), flags) else {
            throw HostNetError(call: "restore", errno: ENOMEM, message: "out of memory")
        }
        var bytes = message.bytes
        nlmsg_append(raw, &bytes, bytes.count, 4)
        try check(
            nl_send_sync(self.raw, raw), type == Int(RTM_NEWROUTE) ? "make a route" : "change an address")
    }
}
