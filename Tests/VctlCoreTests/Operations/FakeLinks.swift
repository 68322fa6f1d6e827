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
        var last = 1
    }

    private let state = Mutex(State())

    /// One line for each.
    var lines: [String] {
        state.withLock { state in
            state.links.map { link in
                let marked = link.alias?.hasPrefix("vctl:") == true
                return "link \(link.name) up=\(link.isUp) marked=\(marked) port=\(link.master != nil)"
            }.sorted()
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
        }
    }

    func facts(ofTAP name: String) async throws -> TAPFacts {
        TAPFacts(owner: state.withLock { $0.owners[name] })
    }

    func openers(ofTAP name: String) async throws -> [TAPs.Opener] { [] }
}
