// SPDX-License-Identifier: Apache-2.0
import CHost
import Glibc

/// Tells systemd about ourselves (sd_notify(3)); nothing happens where nobody listens.
struct SystemdNotify: Sendable {
    private let socket: String?
    /// How often `WATCHDOG=1` is due: half of what systemd waits; `nil` without a watchdog.
    let watchdogInterval: Duration?

    /// - Parameter environment: the process's environment.
    init(environment: [String: String]) {
        socket = environment["NOTIFY_SOCKET"]
        let mine = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init)
        watchdogInterval = mine ? microseconds.map { .microseconds($0 / 2) } : nil
    }

    func ready() { send("READY=1") }
    func stopping() { send("STOPPING=1") }
    func alive() { send("WATCHDOG=1") }

    private func send(_ message: String) {
        guard let socket else { return }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        guard chost_unix_address(socket, &address) == 0 else { return }
        var length = MemoryLayout<sockaddr_un>.size
        if socket.hasPrefix("@") {
            // The abstract namespace: a zero byte first, and the length is part of the name.
            address.sun_path.0 = 0
            length = MemoryLayout<sa_family_t>.size + socket.utf8.count
        }
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(
                    descriptor, message, message.utf8.count, Int32(MSG_NOSIGNAL), $0, socklen_t(length))
            }
        }
    }
}
