// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Makes bridges, TAPs on them and the rules of NAT networks as vctld does, and nothing else: built together
/// with the sources of `HostNet`. Prints how many of each it made in a second; nothing of it stays.
@main
enum LinkBench {
    static func main() throws {
        let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100
        let table = NftablesTable(family: "inet", name: "bench")
        try table.replace(with: empty)
        let numbers = 0..<count
        let rates = [
            ("bridge", try rate(numbers, bridge)), ("tap", try rate(numbers, tap)),
            ("rules", try rate(numbers) { try rules($0, table) }),
        ]
        for number in numbers {
            for name in ["lt\(number)", "lb\(number)"] { try Links.delete(Int(if_nametoindex(name))) }
        }
        try table.replace(with: nil)
        print("{" + rates.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
    }

    private static func rate(_ numbers: Range<Int>, _ body: (Int) throws -> Void) throws -> Double {
        let start = now()
        for number in numbers { try body(number) }
        return Double(numbers.count) / (now() - start)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func bridge(_ number: Int) throws {
        try Bridges.make(BridgeSpec(name: "lb\(number)"))
        var change = LinkChange()
        (change.alias, change.isUp) = ("vctl:bench:\(number)", true)
        try Links.change(Int(if_nametoindex("lb\(number)")), change)
    }

    private static func tap(_ number: Int) throws {
        try TAPs.make(TAPSpec(name: "lt\(number)"))
        var change = LinkChange()
        (change.alias, change.isUp) = ("vctl:bench:\(number)", true)
        change.master = Int(if_nametoindex("lb\(number)"))
        try Links.change(Int(if_nametoindex("lt\(number)")), change)
    }

    private static let empty = """
        map arriving {
            type ifname : verdict
        }
        map leaving {
            type ifname : verdict
        }
        map sources4_24 {
            type ipv4_addr : verdict
        }
        chain forward {
            type filter hook forward priority filter; policy accept;
            iifname vmap @leaving
            oifname vmap @arriving
        }
        chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            ip saddr & 255.255.255.0 vmap @sources4_24
        }

        """

    /// What a network changes, with the questions whether anybody came between.
    private static func rules(_ number: Int, _ table: NftablesTable) throws {
        let (bridge, subnet) = ("lb\(number)", "10.\(220 + number / 250).\(number % 250).0")
        let before = table.generation()
        try table.change([
            .add(
                """
                chain arriving_\(bridge) {
                    ct state established,related accept
                    drop
                }
                chain leaving_\(bridge) {
                    oifname "\(bridge)" accept
                    ip saddr != \(subnet)/24 drop
                    meta nfproto ipv6 drop
                }
                chain sources4_24_\(number) {
                    ip saddr \(subnet)/24 oifname != "\(bridge)" ip daddr != 224.0.0.0/4 masquerade
                }

                """),
            .addElements(["\"\(bridge)\" : jump arriving_\(bridge)"], map: "arriving"),
            .addElements(["\"\(bridge)\" : jump leaving_\(bridge)"], map: "leaving"),
            .addElements(["\(subnet) : jump sources4_24_\(number)"], map: "sources4_24"),
        ])
        guard let before, table.generation() == before + 1 else {
            throw HostNetError(call: "change rules", errno: 0, message: "somebody came between")
        }
    }
}
