// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet
import Synchronization

@testable import VctlCore

/// Links that are nowhere but here, under the kernel's rules for names: a test must not touch the machine's.
/// They outlive the daemon's deaths, as the kernel's do.
final class FakeLinks: HostLinks {
    private struct State {
        var links: [Link] = [Link(index: 1, name: "br7", kind: .bridge)]
        var owners: [String: UInt32] = [:]
        var stp: Set<String> = []
        var addresses: [Address] = []
        var last = 1
    }

    private let state = Mutex(State())

    /// One line for each.
    var lines: [String] {
        state.withLock { state in
            state.links.map { link in
                let marked = link.alias?.hasPrefix("vctl:") == true
                return "link \(link.name) up=\(link.isUp) marked=\(marked) port=\(link.master != nil)"
            }.sorted() + state.addresses.map { "address \($0.text)" }.sorted()
                + state.stp.map { "stp \($0)" }
        }
    }

    /// As somebody who has it open.
    func open(_ name: String) {
        state.withLock { state in
            for index in state.links.indices where state.links[index].name == name {
                state.links[index].hasCarrier = true
            }
        }
    }

    func all() async throws -> [Link] { state.withLock { $0.links } }

    func make(_ tap: TAPSpec) async throws {
        try add(Link(index: 0, name: tap.name, kind: .tap))
        state.withLock { $0.owners[tap.name] = tap.owner }
    }

    func add(_ link: Link) throws {
        try state.withLock { state in
            guard !state.links.contains(where: { $0.name == link.name }) else {
                throw HostNetError(call: "make \(link.name)", errno: EBUSY, message: "taken")
            }
            state.last += 1
            var link = link
            link.index = state.last
            state.links.append(link)
        }
    }

    func change(_ index: Int, _ change: LinkChange) async throws {
        try state.withLock { state in
            guard let place = state.links.firstIndex(where: { $0.index == index }) else {
                throw HostNetError(call: "change \(index)", errno: ENODEV, message: "no such device")
            }
            if let name = change.name {
                guard !state.links.contains(where: { $0.name == name && $0.index != index }) else {
                    throw HostNetError(call: "rename \(index)", errno: EEXIST, message: "taken")
                }
                state.links[place].name = name
            }
            if let alias = change.alias { state.links[place].alias = alias }
            if let isUp = change.isUp { state.links[place].isUp = isUp }
            if let master = change.master { state.links[place].master = master == 0 ? nil : master }
        }
    }

    func delete(_ index: Int) async throws {
        try state.withLock { state in
            guard state.links.contains(where: { $0.index == index }) else {
                throw HostNetError(call: "delete \(index)", errno: ENODEV, message: "no such device")
            }
            state.links.removeAll { $0.index == index }
            state.links.removeAll { $0.lower == index }
            state.addresses.removeAll { $0.link == index }
            state.stp.formIntersection(state.links.map(\.name))
            for place in state.links.indices where state.links[place].master == index {
                state.links[place].master = nil
            }
        }
    }

    func facts(ofTAP name: String) async throws -> TAPFacts {
        TAPFacts(owner: state.withLock { $0.owners[name] })
    }

    func openers(ofTAP name: String) async throws -> [TAPs.Opener] { [] }

    func make(_ bridge: BridgeSpec) async throws { try add(Link(index: 0, name: bridge.name, kind: .bridge)) }

    func setSTP(_ index: Int, _ stp: Bool) async throws {
        state.withLock { state in
            guard let name = state.links.first(where: { $0.index == index })?.name else { return }
            if stp { state.stp.insert(name) } else { state.stp.remove(name) }
        }
    }

    func facts(ofBridge name: String) async throws -> BridgeFacts {
        BridgeFacts(stp: state.withLock { $0.stp.contains(name) })
    }

    func addresses() async throws -> [Address] { state.withLock { $0.addresses } }

    func add(_ address: Address) async throws { state.withLock { $0.addresses.append(address) } }

    /// What is nowhere but here has no routes.
    func snapshot(of names: [String], alias: String) async throws -> NetworkSnapshot {
        try NetworkSnapshot(of: [], alias: alias)
    }

    func isWireless(_ name: String) async throws -> Bool { name.hasPrefix("wl") }

    func route(to address: String) async -> Int? { nil }

    func portSettings() async throws -> [Int: PortSettings] { [:] }

    func apply(_ settings: PortSettings, to index: Int) async throws {}

    func remove(_ address: Address) async throws {
        state.withLock { state in state.addresses.removeAll { $0 == address } }
    }
}
