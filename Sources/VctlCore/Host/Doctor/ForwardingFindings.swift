// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

extension IPFamily {
    /// As people write it.
    var words: String { self == .ipv4 ? "IPv4" : "IPv6" }
    /// What switches on that the host forwards it, for `sysctl`.
    var forwardingKey: String { self == .ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding" }
    /// Whether the host forwards it; `nil`: the kernel does not have it.
    func isForwarded(_ files: HostFiles) -> Bool? {
        files.text("/proc/sys/\(forwardingKey.replacing(".", with: "/"))").map { $0 == "1" }
    }
}

/// Whether the host passes on what VMs in routed and NAT networks send.
struct ForwardingFindings: HostCheck {
    let family: IPFamily
    let files: HostFiles
    /// The active networks of libvirt.
    let networks: @Sendable () async throws -> [NetworkXML]

    var name: String { family == .ipv4 ? "network.ipv4Forwarding" : "network.ipv6Forwarding" }
    private var words: String { family.words }

    func notes() async throws -> [Note] {
        guard let isForwarded = family.isForwarded(files) else {
            return [.ok("the kernel has no \(words)")]
        }
        guard !isForwarded else { return family == .ipv4 ? [.ok("the host forwards IPv4")] : notesOfRoutes() }
        let cut = try await networks().filter(needs).compactMap(\.name)
        guard cut.isEmpty else {
            return [
                .critical(
                    "the host forwards no \(words): VMs in the networks \(cut.joined(separator: ", ")) reach"
                        + " nobody beyond it", "sysctl -w \(family.forwardingKey)=1")
            ]
        }
        return [.ok("the host forwards no \(words), and no network needs it now")]
    }

    private func needs(_ network: NetworkXML) -> Bool {
        guard ["nat", "route", "open"].contains(network.forwardMode ?? "") else { return false }
        return network.ips.contains { ($0.family == "ipv6") == (family == .ipv6) }
    }

    /// A host that forwards no longer listens to routers, unless it is told to: its own route runs out.
    private func notesOfRoutes() -> [Note] {
        let deaf = advertised().filter { files.text("/proc/sys/net/ipv6/conf/\($0)/accept_ra") == "1" }
        guard !deaf.isEmpty else { return [.ok("the host forwards IPv6")] }
        return deaf.map {
            .warning(
                "the host forwards IPv6, and no longer renews its own route, which it has from a router on"
                    + " \($0)", "sysctl -w net.ipv6.conf.\($0).accept_ra=2")
        }
    }

    /// The interfaces of default routes that the kernel has from a router's advertisements.
    private func advertised() -> [String] {
        let fromRouter = UInt32(0x0004_0000)
        var names: [String] = []
        for line in files.lines("/proc/net/ipv6_route") {
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count == 10, fields[1] == "00", let flags = UInt32(fields[8], radix: 16) else {
                continue
            }
            if flags & fromRouter != 0, !names.contains(fields[9]) { names.append(fields[9]) }
        }
        return names
    }
}
