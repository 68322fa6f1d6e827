// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI
import VctlCore

/// Who may do what: by socket, user and group. Asked once per connection.
struct AccessPolicy: Sendable {
    private let daemonUser: uid_t
    /// The highest role first; `nil`: no groups are configured, and the socket's mode alone decides.
    private let groups: [(role: Role, ids: Set<gid_t>)]?
    /// Configured groups that the host does not have.
    let missing: [String]

    /// - Parameters:
    ///   - access: groups by name, looked up now.
    ///   - daemonUser: the user that runs the daemon, who is admin.
    init(_ access: Configuration.Access, daemonUser: uid_t = getuid()) {
        self.daemonUser = daemonUser
        let lists: [(Role, [String])] = [
            (.admin, access.admin), (.operate, access.operators), (.viewer, access.viewer),
        ]
        groups = access.isEmpty ? nil : lists.map { ($0.0, Set($0.1.compactMap(Groups.id))) }
        missing = lists.flatMap(\.1).filter { Groups.id(of: $0) == nil }
    }

    /// The role of a peer; `nil`: none at all.
    func role(of peer: Peer, on kind: SocketKind) -> Role? {
        if kind == .readOnly { return .viewer }
        if peer.uid == 0 || peer.uid == daemonUser { return .admin }
        guard let groups else { return .admin }
        return groups.first { !$0.ids.isDisjoint(with: peer.groups) }?.role
    }
}
