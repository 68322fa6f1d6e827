// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc
import Synchronization

/// The other end of a connection at the time it connected, as the kernel says.
struct Peer: Equatable, Sendable {
    var uid: uid_t
    var pid: pid_t
    /// Its group and its supplementary groups.
    var groups: Set<gid_t>

    /// The peer of a connected Unix socket; `nil` when the kernel does not say.
    init?(socket: Int32) {
        var peer = chost_peer()
        guard chost_peer_of(socket, &peer) == 0 else { return nil }
        uid = peer.uid
        pid = peer.pid
        groups = Self.supplementary(socket).union([peer.gid])
    }

    /// A peer of the given identity.
    init(uid: uid_t, pid: pid_t, groups: Set<gid_t>) {
        self.uid = uid
        self.pid = pid
        self.groups = groups
    }

    private static func supplementary(_ socket: Int32) -> Set<gid_t> {
        var groups = [gid_t](repeating: 0, count: 256)
        var count = chost_peer_groups(socket, &groups, Int32(groups.count))
        if count < 0, errno == ERANGE {
            groups = [gid_t](repeating: 0, count: 65_536)
            count = chost_peer_groups(socket, &groups, Int32(groups.count))
        }
        return count > 0 ? Set(groups.prefix(Int(count))) : []
    }
}

/// Groups by name.
enum Groups {
    /// The id of the group, `nil` where there is none of that name.
    static func id(of name: String) -> gid_t? {
        var entry = group()
        var result: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard getgrnam_r(name, &entry, &buffer, buffer.count, &result) == 0, result != nil else { return nil }
        return entry.gr_gid
    }
}

/// The names of users. A name server may be slow, so each is asked for once.
final class UserNames: Sendable {
    private let known = Mutex<[uid_t: String?]>([:])
    private static let most = 1024

    /// The name of the user, `nil` where there is none.
    func name(of uid: uid_t) -> String? {
        if let name = known.withLock({ $0[uid] }) { return name }
        let name = Self.look(up: uid)
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known[uid] = .some(name)
        }
        return name
    }

    private static func look(up uid: uid_t) -> String? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &result) == 0, result != nil else { return nil }
        return String(cString: entry.pw_name)
    }
}
