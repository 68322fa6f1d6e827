// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Our own descriptor of the Unix socket below a connection.
///
/// libvirt offers no way to end a call that hangs: closing only gives back a reference, and waits its turn
/// behind that very call. Shutting the socket down makes libvirt see the end, and every call fails.
/// A duplicate stays ours, so that the number cannot have been given to another file meanwhile.
struct DaemonSocket: Sendable {
    private let descriptor: Int32

    /// Opening one at a time makes the new descriptor that leads to a named Unix socket the connection's.
    private static let opening = Mutex(())

    static func noticing<T>(_ open: () throws -> T) throws -> (T, DaemonSocket?) {
        try opening.withLock { _ in
            let before = clients()
            let opened = try open()
            let new = clients().subtracting(before)
            guard new.count == 1, let only = new.first else { return (opened, nil) }
            let copy = fcntl(only, F_DUPFD_CLOEXEC, 0)
            return (opened, copy < 0 ? nil : DaemonSocket(descriptor: copy))
        }
    }

    func cut() -> Bool {
        shutdown(descriptor, Int32(SHUT_RDWR)) == 0
    }

    /// To be called once, after libvirt closed its own.
    func release() {
        Glibc.close(descriptor)
    }

    private static func clients() -> Set<Int32> {
        guard let directory = opendir("/proc/self/fd") else { return [] }
        defer { closedir(directory) }
        var found: Set<Int32> = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let descriptor = Int32(name), isUnixClient(descriptor) { found.insert(descriptor) }
        }
        return found
    }

    /// The client's side of a Unix socket with a name; the side that accepted sees a nameless peer.
    private static func isUnixClient(_ descriptor: Int32) -> Bool {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        return result == 0 && address.sun_family == sa_family_t(AF_UNIX) && address.sun_path.0 != 0
    }
}
