// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What the host reaches by which link, from the kernel's routes.
struct HostSubnets: Sendable {
    /// A route that is no default route.
    struct Route: Hashable, Sendable {
        let subnet: Subnet
        let link: String
    }

    let files: HostFiles

    /// All of both families.
    func routes() -> [Route] { ipv4() + ipv6() }

    /// `eth0 0000A8C0 00000000 0001 0 0 0 00FFFFFF …`: destination and mask in the host's order of bytes.
    private func ipv4() -> [Route] {
        files.lines("/proc/net/route").dropFirst().compactMap { line in
            let fields = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard fields.count > 7, let address = UInt32(fields[1], radix: 16),
                let mask = UInt32(fields[7], radix: 16), mask != 0
            else { return nil }
            let number = UInt128(UInt32(bigEndian: address))
            let subnet = Subnet(of: IPAddress(.ipv4, number), prefix: mask.nonzeroBitCount)
            return Route(subnet: subnet, link: fields[0])
        }
    }

    /// `fd00…0 40 0…0 00 0…0 metric refs uses flags eth0`. What every link has is nobody's.
    private func ipv6() -> [Route] {
        files.lines("/proc/net/ipv6_route").compactMap { line in
            let fields = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard fields.count == 10, let number = UInt128(fields[0], radix: 16),
                let prefix = Int(fields[1], radix: 16), prefix > 0, fields[9] != "lo"
            else { return nil }
            let subnet = Subnet(of: IPAddress(.ipv6, number), prefix: prefix)
            let isEverywhere = Self.everywhere.contains { $0.overlaps(subnet) }
            return isEverywhere ? nil : Route(subnet: subnet, link: fields[9])
        }
    }

    private static let everywhere = ["fe80::/10", "ff00::/8"].compactMap { try? Subnet(checking: $0) }
}
