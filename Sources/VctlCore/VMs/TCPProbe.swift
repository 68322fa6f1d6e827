// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Whether somebody listens at an address.
enum TCPProbe {
    /// Tries one connection, for at most a second; blocks no thread while it waits.
    static func connects(to address: String, port: Int) async -> Bool {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address, "\(port)", &hints, &list) == 0, let first = list?.pointee else {
            return false
        }
        defer { freeaddrinfo(list) }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(first.ai_family, type, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if connect(descriptor, first.ai_addr, first.ai_addrlen) == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        return await becomesConnected(descriptor)
    }

    private static func becomesConnected(_ descriptor: Int32) async -> Bool {
        for _ in 0..<20 {
            var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            if poll(&wait, 1, 0) == 1 { return hasNoError(descriptor) }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    private static func hasNoError(_ descriptor: Int32) -> Bool {
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0
    }
}
