// SPDX-License-Identifier: Apache-2.0
import VctlAPI
import VirtXML

/// Whether as many networks can run as there are: each with an address of the host has a dnsmasq.
struct DnsmasqFindings: HostCheck {
    /// For programs other than dnsmasq, and for the networks to come.
    private static let margin = 16

    let name = "network.dnsmasq"
    var limit = InotifyLimit()
    /// The active networks of libvirt.
    let networks: @Sendable () async throws -> [NetworkXML]

    func notes() async throws -> [Note] {
        guard let most = limit.most else { return [.ok("the kernel sets no limit to the number of dnsmasq")] }
        if limit.isReached() {
            return [
                .critical(
                    "root has all of the \(most) instances of inotify that the kernel lets it have: no"
                        + " further network with DHCP or DNS starts (\(InotifyLimit.key))", limit.remedy)
            ]
        }
        let served = try await networks().count { !$0.ips.isEmpty }
        guard served + Self.margin <= most else {
            return [
                .warning(
                    "\(served) networks have a dnsmasq, and the kernel lets root have \(most) of them"
                        + " (\(InotifyLimit.key))", limit.remedy)
            ]
        }
        return [.ok("the kernel lets \(most) networks have a dnsmasq")]
    }
}
