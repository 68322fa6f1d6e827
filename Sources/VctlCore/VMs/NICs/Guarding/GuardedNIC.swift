// SPDX-License-Identifier: Apache-2.0
import GRDB
import VctlAPI

/// A NIC that may send only as itself, or to which not everything may come in.
struct GuardedNIC: Hashable, Sendable {
    /// The name of its TAP, by which rules know it before it is there.
    var tap: String
    /// In lower case.
    var mac: String
    /// Where it is plugged in: what was learned elsewhere does not count.
    var place: String
    /// Its own: those that were said, and those that libvirt has leased to it.
    var addresses: Set<IPAddress>
    /// Those that IPv6 has there; empty: nobody knows.
    var prefixes: [Subnet] = []
    /// Whether what was learned of it on the wire still counts.
    var isRunning: Bool
    /// Whether it may send only as itself.
    var isHonest: Bool
    /// Its security groups; `nil`: everything may come in.
    var groups: [String]?

    /// `nil` where it is not guarded, or rules cannot be written for its TAP.
    init?(_ nic: VM.NIC, isRunning: Bool) {
        guard nic.isGuarded, let tap = nic.tap, (try? LinkName(tap)) != nil else { return nil }
        self.tap = tap
        mac = nic.mac
        place = nic.place
        addresses = Set(nic.own)
        self.isRunning = isRunning
        isHonest = nic.antiSpoofing == true
        groups = nic.securityGroups
    }

    /// One that is about to be plugged in; `nil` where it is not guarded.
    init?(_ nic: DomainPlan.NIC) {
        guard let part = nic.guarding, part.isGuarded else { return nil }
        var known = VM.NIC(mac: nic.mac, network: nic.network, bridge: nic.bridge, tap: nic.tap)
        (known.antiSpoofing, known.ip) = (part.antiSpoofing, part.addresses)
        known.securityGroups = part.groups.isEmpty ? nil : part.groups
        self.init(known, isRunning: true)
    }

    /// The second half of the IPv6 addresses that a guest makes of its MAC (RFC 4291, appendix A).
    var interfaceID: UInt64 {
        let bytes = mac.split(separator: ":").compactMap { UInt64($0, radix: 16) }
        guard bytes.count == 6 else { return 0 }
        let all = [bytes[0] ^ 2, bytes[1], bytes[2], 0xFF, 0xFE, bytes[3], bytes[4], bytes[5]]
        return all.reduce(0) { $0 << 8 | $1 }
    }
}

extension VM.NIC {
    /// Whether rules are needed for it.
    var isGuarded: Bool { antiSpoofing == true || securityGroups != nil }

    /// The network or bridge that it is on.
    fileprivate var place: String { network.map { "network \($0)" } ?? "bridge \(bridge ?? "")" }

    /// What nobody else may use.
    fileprivate var own: [IPAddress] {
        ((ip ?? []) + addresses.filter { $0.source == .lease }.map(\.address)).compactMap { IPAddress($0) }
    }
}

/// Whom rules are for, and what belongs to whom.
struct GuardedNICs: Sendable {
    /// By their TAPs.
    var nics: [GuardedNIC] = []
    /// At each place the MACs of those who have an address by a lease or a word.
    private var owners: [String: [IPAddress: String]] = [:]
    /// What each security group allows.
    let groups: [String: [SecurityRule]]
    /// The IPv6 addresses of networks.
    private var prefixes: [String: [Subnet]] = [:]

    /// Those of all VMs that bear our mark.
    init(_ db: Database) throws {
        groups = try SecurityGroupStore.rules(db)
        let isGuarded = "value ->> '$.antiSpoofing' OR value ->> '$.securityGroups' IS NOT NULL"
        let some = "EXISTS (SELECT 1 FROM json_each(document, '$.nics') WHERE \(isGuarded))"
        let ours = try Self.vms(db, "managed AND \(some)")
        for network in try NetworkStore.all(db) {
            let value = try network.value()
            prefixes["network \(value.name)"] = value.subnet6.map { [$0] }
        }
        nics = ours.flatMap { vm in
            let isOff = [.stopped, .crashed, .missing].contains(vm.state)
            return vm.nics.compactMap { GuardedNIC($0, isRunning: !isOff) }
        }
        nics = nics.map(completed).sorted { $0.tap < $1.tap }
        guard !nics.isEmpty else { return }
        for nic in try Self.vms(db, "TRUE").flatMap(\.nics) {
            for address in nic.own { owners[nic.place, default: [:]][address] = nic.mac }
        }
    }

    private static func vms(_ db: Database, _ condition: String) throws -> [VM] {
        let sql = "SELECT \(VMRow.columns) FROM vm WHERE state <> 'missing' AND \(condition)"
        return try Row.fetchAll(db.cachedStatement(sql: sql)).map { try VMRow($0).value() }
    }

    /// With what is known of its network.
    func completed(_ nic: GuardedNIC) -> GuardedNIC {
        var nic = nic
        nic.prefixes = prefixes[nic.place] ?? []
        return nic
    }

    /// Whether an address that was learned of a NIC has come to be somebody else's.
    func isForeign(_ address: IPAddress, to nic: GuardedNIC) -> Bool {
        owners[nic.place]?[address].map { $0 != nic.mac } ?? false
    }
}
