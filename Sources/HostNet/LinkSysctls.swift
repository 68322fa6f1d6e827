// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc

/// How the kernel treats IP on one link, where that counts for whoever has the host's addresses
/// (`net.ipv4.conf.LINK`, `net.ipv6.conf.LINK`), in the network namespace of the thread that asks.
struct LinkSysctls: Codable, Hashable, Sendable {
    /// The values by `ipv6/accept_ra` and the like.
    var values: [String: String]

    /// In the order in which they are set: what needs another one comes behind it. Forwarding is not among
    /// them: networks of guests switch it on for all links, and an old 0 would cut their guests off.
    private static let keys = [
        "ipv4/proxy_arp", "ipv4/rp_filter", "ipv4/arp_ignore", "ipv4/arp_announce",
        "ipv4/arp_filter", "ipv4/accept_redirects", "ipv4/send_redirects", "ipv4/accept_source_route",
        "ipv6/stable_secret", "ipv6/addr_gen_mode", "ipv6/use_tempaddr", "ipv6/disable_ipv6",
        "ipv6/accept_ra", "ipv6/accept_ra_defrtr", "ipv6/accept_ra_pinfo",
        "ipv6/accept_ra_rt_info_max_plen", "ipv6/autoconf", "ipv6/accept_redirects", "ipv6/proxy_ndp",
    ]

    /// Those of a link; what the kernel does not have is left out.
    init(of link: String) {
        values = [:]
        for key in Self.keys { values[key] = Self.read(key, link) }
    }

    /// Sets those that are different. One that the kernel does not take is no reason to leave the others.
    func apply(to link: String) {
        for key in Self.keys {
            guard let value = values[key], let now = Self.read(key, link) ?? Self.unset(key), now != value
            else {
                continue
            }
            Self.write(key, link, value)
        }
    }

    /// A secret that there is not cannot be read, and can be set.
    private static func unset(_ key: String) -> String? { key.hasSuffix("_secret") ? "" : nil }

    private static func path(_ key: String, _ link: String) -> String {
        let parts = key.split(separator: "/")
        return "/proc/sys/net/\(parts[0])/conf/\(link)/\(parts[1])"
    }

    private static func read(_ key: String, _ link: String) -> String? {
        let data = FileManager.default.contents(atPath: path(key, link))
        return data.map { String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self) }.flatMap {
            $0.isEmpty ? nil : $0
        }
    }

    private static func write(_ key: String, _ link: String, _ value: String) {
        let file = open(path(key, link), O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        _ = Glibc.write(file, value, value.utf8.count)
    }
}
