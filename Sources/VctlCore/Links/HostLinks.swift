// SPDX-License-Identifier: Apache-2.0
import HostNet
import VctlAPI

/// The host's links as operations see them. There is one beside the kernel's: that of tests, which must not
/// touch the machine's.
protocol HostLinks: Sendable {
    func all() async throws -> [Link]
    func make(_ tap: TAPSpec) async throws
    func change(_ index: Int, _ change: LinkChange) async throws
    func delete(_ index: Int) async throws
    /// What the kernel knows of a TAP beside its link.
    func facts(ofTAP name: String) async throws -> TAPFacts
    func openers(ofTAP name: String) async throws -> [TAPs.Opener]
    func make(_ bridge: BridgeSpec) async throws
    func setSTP(_ index: Int, _ stp: Bool) async throws
    func facts(ofBridge name: String) async throws -> BridgeFacts
    func addresses() async throws -> [Address]
    func add(_ address: Address) async throws
    func remove(_ address: Address) async throws
    func snapshot(of names: [String], alias: String) async throws -> NetworkSnapshot
    func isWireless(_ name: String) async throws -> Bool
    /// The number of the link that packets to an address leave by.
    func route(to address: String) async -> Int?
    /// What bridges know of their ports, by the ports' numbers.
    func portSettings() async throws -> [Int: PortSettings]
    func apply(_ settings: PortSettings, to index: Int) async throws
}

/// What only bridges have.
struct BridgeFacts: Hashable, Sendable {
    var stp = false
    var vlanAware = false
}

/// What only TAPs have.
struct TAPFacts: Hashable, Sendable {
    var owner: UInt32?
    var isMultiQueue = false
}

/// Those of the kernel.
struct KernelLinks: HostLinks {
    func all() async throws -> [Link] { try await Blocking.run { try Links.all() } }
    func make(_ tap: TAPSpec) async throws { try await Blocking.run { try TAPs.make(tap) } }
    func change(_ index: Int, _ change: LinkChange) async throws {
        try await Blocking.run { try Links.change(index, change) }
    }
    func delete(_ index: Int) async throws { try await Blocking.run { try Links.delete(index) } }
    func facts(ofTAP name: String) async throws -> TAPFacts {
        try await Blocking.run {
            TAPFacts(owner: TAPs.owner(of: name), isMultiQueue: TAPs.isMultiQueue(name))
        }
    }
    func openers(ofTAP name: String) async throws -> [TAPs.Opener] {
        try await Blocking.run { TAPs.openers(of: name) }
    }
    func make(_ bridge: BridgeSpec) async throws { try await Blocking.run { try Bridges.make(bridge) } }
    func setSTP(_ index: Int, _ stp: Bool) async throws {
        try await Blocking.run { try Bridges.setSTP(index, stp) }
    }
    func facts(ofBridge name: String) async throws -> BridgeFacts {
        try await Blocking.run {
            BridgeFacts(stp: Bridges.hasSTP(name), vlanAware: Bridges.isVLANAware(name))
        }
    }
    func snapshot(of names: [String], alias: String) async throws -> NetworkSnapshot {
        try await Blocking.run { try NetworkSnapshot(of: names, alias: alias) }
    }
    func isWireless(_ name: String) async throws -> Bool {
        try await Blocking.run { Links.isWireless(name) }
    }
    func route(to address: String) async -> Int? {
        try? await Blocking.run { try Routes.link(to: address) }
    }
    func portSettings() async throws -> [Int: PortSettings] {
        try await Blocking.run { try PortSettings.all() }
    }
    func apply(_ settings: PortSettings, to index: Int) async throws {
        try await Blocking.run { try settings.apply(to: index) }
    }
    func addresses() async throws -> [Address] { try await Blocking.run { try Addresses.all() } }
    func add(_ address: Address) async throws { try await Blocking.run { try Addresses.add(address) } }
    func remove(_ address: Address) async throws {
        try await Blocking.run { try Addresses.remove(address) }
    }
}
