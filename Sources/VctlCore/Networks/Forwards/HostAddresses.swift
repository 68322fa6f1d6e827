// SPDX-License-Identifier: Apache-2.0
import Glibc
import VctlAPI

/// The addresses that the host has itself.
enum HostAddresses {
    static func has(_ address: IPAddress) -> Bool {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return false }
        defer { freeifaddrs(first) }
        return sequence(first: first, next: { $0?.pointee.ifa_next }).contains { entry in
            entry?.pointee.ifa_addr.flatMap(text).flatMap { IPAddress($0) } == address
        }
    }

    /// Without the link that a link-local one belongs to.
    private static func text(_ address: UnsafeMutablePointer<sockaddr>) -> String? {
        let isLong = address.pointee.sa_family == sa_family_t(AF_INET6)
        guard isLong || address.pointee.sa_family == sa_family_t(AF_INET) else { return nil }
        let length = isLong ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard
            getnameinfo(
                address, socklen_t(length), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.split(separator: "%").first.map(String.init)
    }
}
