// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc

/// What a socket's callers may do at most.
enum SocketKind: Sendable {
    case readWrite, readOnly

    /// The group that may open it.
    var group: String { self == .readWrite ? "vctl" : "vctl-ro" }
}

/// A socket that listens, and the file that belongs to it.
struct ListeningSocket: Sendable {
    let descriptor: Int32
    let path: String
    let kind: SocketKind
    /// Whether it came from systemd, which then keeps it.
    let inherited: Bool

    /// Makes the socket: 0660, group `vctl` or `vctl-ro` where there is one. A file that nobody answers on is
    /// taken over.
    /// - Throws: ``StartError`` when another daemon answers, or the system refuses.
    static func make(path: String, kind: SocketKind) throws -> ListeningSocket {
        var address = sockaddr_un()
        guard chost_unix_address(path, &address) == 0 else {
            throw StartError("the socket path \(path) is too long: at most 107 bytes")
        }
        try makeDirectory(of: path)
        try removeStale(path, address)
        let descriptor = socket(AF_UNIX, flags(SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK), 0)
        guard descriptor >= 0 else { throw StartError("no socket can be made: \(systemError())") }
        do {
            try bind(descriptor, address, path)
            giveToGroup(path, kind.group)
            guard chmod(path, 0o660) == 0, listen(descriptor, 1024) == 0 else {
                throw StartError("cannot listen on \(path): \(systemError())")
            }
        } catch {
            close(descriptor)
            throw error
        }
        return ListeningSocket(descriptor: descriptor, path: path, kind: kind, inherited: false)
    }

    /// Removes the file, so that the next client is told at once that nobody is there.
    func remove() {
        if !inherited { unlink(path) }
    }

    private static func bind(_ descriptor: Int32, _ address: sockaddr_un, _ path: String) throws {
        // Nobody may connect before the mode is set.
        let old = umask(0o177)
        defer { umask(old) }
        guard withAddress(address, { Glibc.bind(descriptor, $0, $1) }) == 0 else {
            throw StartError("cannot bind \(path): \(systemError())")
        }
    }

    private static func removeStale(_ path: String, _ address: sockaddr_un) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw StartError("\(path) is there and no socket; remove it, or choose another with --socket")
        }
        let probe = socket(AF_UNIX, flags(SOCK_STREAM, SOCK_CLOEXEC, SOCK_NONBLOCK), 0)
        defer { close(probe) }
        let connected = withAddress(address) { connect(probe, $0, $1) }
        // A full queue answers EAGAIN: somebody listens there.
        guard connected != 0, errno == ECONNREFUSED else {
            throw StartError("another daemon answers on \(path); stop it, or choose another with --socket")
        }
        guard unlink(path) == 0 else { throw StartError("cannot replace \(path): \(systemError())") }
    }

    private static func makeDirectory(of path: String) throws {
        let components = path.split(separator: "/").dropLast()
        var made = path.hasPrefix("/") ? "" : "."
        for component in components {
            made += "/\(component)"
            guard mkdir(made, 0o755) != 0, errno != EEXIST else { continue }
            throw StartError("the directory of \(path) cannot be made: \(systemError())")
        }
    }

    /// Without the group, or the right to give to it, only the daemon's own user and group can open the
    /// socket.
    private static func giveToGroup(_ path: String, _ name: String) {
        guard let group = Groups.id(of: name) else { return }
        _ = chown(path, uid_t.max, group)
    }

    private static func withAddress<T>(
        _ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> T
    ) -> T {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func flags(_ types: __socket_type...) -> Int32 {
        Int32(types.reduce(0) { $0 | $1.rawValue })
    }
}

extension ListeningSocket {
    /// The sockets that systemd has opened for us (sd_listen_fds(3)). One named `readonly`, or whose path
    /// ends in `-ro.sock`, is read-only.
    static func inherited(environment: [String: String], firstDescriptor: Int32 = 3) -> [ListeningSocket] {
        guard environment["LISTEN_PID"] == "\(getpid())",
            let count = environment["LISTEN_FDS"].flatMap(Int32.init),
            count > 0, count < 64
        else { return [] }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(
            separator: ":", omittingEmptySubsequences: false)
        return (0..<count).map { index in
            let descriptor = firstDescriptor + index
            let name = Int(index) < names.count ? String(names[Int(index)]) : ""
            return adopt(descriptor, name: name)
        }
    }

    private static func adopt(_ descriptor: Int32, name: String) -> ListeningSocket {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        let path = path(of: descriptor)
        let readOnly = name == "readonly" || path.hasSuffix("-ro.sock")
        return ListeningSocket(
            descriptor: descriptor, path: path, kind: readOnly ? .readOnly : .readWrite, inherited: true)
    }

    private static func path(of descriptor: Int32) -> String {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let known = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard known == 0 else { return "" }
        return withUnsafeBytes(of: &address.sun_path) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
