// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet

/// The table of nftables that this instance has, and no other.
protocol PacketTable: Sendable {
    func replace(with body: String?) throws
    func read() throws -> String?
    /// Changes parts of it, all or none.
    func change(_ edits: [NftablesTable.Edit]) throws
    /// How often rules were changed in the kernel, whosever; `nil`: nobody says.
    func generation() -> UInt32?
}

/// One that is only ever written anew.
extension PacketTable {
    func change(_ edits: [NftablesTable.Edit]) throws {
        throw HostNetError(
            call: "change packet rules", errno: EOPNOTSUPP, message: "nobody tells them apart",
            isOfRules: true)
    }
    func generation() -> UInt32? { nil }
}

extension NftablesTable: PacketTable {}

/// That of a daemon which may write none: what needs rules fails.
struct NoTable: PacketTable {
    func read() throws -> String? { nil }
    func replace(with body: String?) throws {
        guard body != nil else { return }
        throw HostNetError(
            call: "write packet rules", errno: EPERM, message: "vctld must run as root for that",
            isOfRules: true)
    }
}
