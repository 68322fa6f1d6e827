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
}
