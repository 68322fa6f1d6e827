// SPDX-License-Identifier: Apache-2.0
import HostNet
import VctlAPI

/// A bridge as it was asked for.
struct KeptBridge: LinkRecord {
    static let kind = ObjectKind.bridge

    var id: ObjectID
    var name: LinkName
    /// Six bytes: minted, so that it stays as ports come and go.
    var mac: [UInt8]
    /// As the kernel writes it.
    var macText: String {
        mac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
    var addresses: [LinkAddress]
    /// The links of others that we keep as its ports.
    var ports: [LinkName]
    var mtu: Int?
    var stp: Bool
    var vlanAware: Bool
    var labels: [String: String]
    var createdAt: Timestamp
    /// The port whose addresses and routes the bridge has taken over.
    var uplink: LinkName?
    /// What those were, to be made again after a reboot.
    var carried: NetworkSnapshot?
    /// A change that waits for somebody's word.
    var pending: Pending?
    var isUndecided: Bool { pending != nil }

    /// Everything about the bridge, its name, and the links that are its ports.
    var claims: [Claim] { claims(with: []) }

    /// - Parameter others: links that become ports.
    func claims(with others: [LinkName]) -> [Claim] {
        Claim.whole(id) + Claim.named(Set([name] + ports + others).sorted().map { "link \($0)" })
    }

    /// A change that goes back unless somebody confirms it.
    struct Pending: Codable, Hashable, Sendable {
        var confirmBy: Timestamp
        /// What it was before; empty where there was none.
        var previous: [KeptBridge]
        /// Whether the bridge is gone, and the row stays until that is confirmed.
        var isDeletion = false
    }

    /// - Throws: ``Problem`` `request.invalid` with all that is wrong.
    init(_ create: BridgeCreate) throws {
        id = ObjectID()
        name = create.name
        // Of those that belong to no maker.
        mac = [0x02] + (0..<5).map { _ in UInt8.random(in: 0...255) }
        addresses = create.addresses ?? []
        ports = create.ports ?? []
        mtu = create.mtu
        stp = create.stp ?? false
        vlanAware = create.vlanAware ?? false
        labels = create.labels ?? [:]
        createdAt = .now
        try VMRules.refuse(problems)
    }

    /// As a patch changes it.
    /// - Throws: ``Problem`` `request.invalid` with all that is wrong.
    func patched(_ patch: BridgePatch) throws -> KeptBridge {
        try VMRules.refuse(LabelRules.problems(patch: patch.labels ?? [:]))
        var bridge = self
        bridge.addresses = patch.addresses ?? addresses
        bridge.ports = patch.ports ?? ports
        if let change = patch.mtu { bridge.mtu = change.value }
        bridge.stp = patch.stp ?? stp
        bridge.labels = VMService.merged(labels, patch.labels ?? [:])
        try VMRules.refuse(bridge.problems)
        return bridge
    }

    private var problems: [FieldProblem] {
        var problems = LabelRules.problems(labels)
        if Set(addresses.map(\.bytes)).count < addresses.count {
            problems.append(FieldProblem("addresses", "an address is given twice"))
        }
        if Set(ports).count < ports.count {
            problems.append(FieldProblem("ports", "a port is given twice"))
        }
        if ports.contains(name) {
            problems.append(FieldProblem("ports", "a bridge is no port of itself"))
        }
        // 1280 is what IPv6 needs (RFC 8200, section 5).
        if let mtu, !(1280...65_535).contains(mtu) {
            problems.append(FieldProblem("mtu", "1280 to 65535 bytes"))
        }
        return problems
    }
}
