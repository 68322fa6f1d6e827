// SPDX-License-Identifier: Apache-2.0
import Foundation
import HostNet
import Synchronization
import Testing

/// Moving what a link has to a bridge, and back, as `ip` sees it.
@Suite(.enabled(if: geteuid() == 0, "network namespaces are root's"))
struct SnapshotTests {
    private static let world = """
        ip link set lo up; ip link add up0 type veth peer name far0; ip link set up0 up; ip link set far0 up
        ip addr add 10.90.0.2/24 brd + dev up0; ip addr add 10.90.0.3/24 dev up0 label up0:1
        ip addr add 10.91.0.2/24 dev up0 noprefixroute; ip -6 addr add fd90::2/64 dev up0
        ip route add default via 10.90.0.1 metric 100
        ip route add 10.92.0.0/16 via 10.90.0.9 src 10.90.0.3 mtu 1400
        ip route add 10.93.0.0/16 via 10.90.0.9 table 77; ip route add 10.94.0.0/16 dev up0 scope link
        ip route add 10.95.0.0/16 nexthop via 10.90.0.7 dev up0 weight 2 nexthop via 10.90.0.8 dev up0
        ip -6 route add default via fd90::1 metric 2048; ip -6 route add fd95::/32 via fd90::9 table 77
        ip link add other0 type dummy 2>/dev/null || ip link add other0 type veth peer name other1
        ip link set other0 up; ip route add 10.96.0.0/16 dev other0 src 10.90.0.2
        """

    /// As a child of this thread, and so in its network.
    private func shell(_ script: String) throws -> String {
        guard let pipe = popen("{ \(script)\n} 2>&1", "r") else {
            throw HostNetError(call: "run a script", errno: errno, message: "refused")
        }
        defer { pclose(pipe) }
        var (text, part): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 4096))
        while case let count = fread(&part, 1, part.count, pipe), count > 0 { text += part[..<count] }
        return String(decoding: text, as: UTF8.self)
    }

    /// Once no address is tentative any more.
    private func seen() throws -> String {
        for _ in 0..<100 {
            let now = try shell("ip -d addr; ip route show table all; ip -6 route show table all")
            if !now.contains("tentative") { return now }
            usleep(100_000)
        }
        return "tentative for ever"
    }

    @Test func everythingMovesAndComesBack() throws {
        try OwnNetwork.run {
            #expect(try shell(Self.world) == "")
            let before = try seen()
            let snapshot = try NetworkSnapshot(of: ["br0", "up0"], alias: "ours")
            #expect(snapshot.carriesSomething(["up0"]) && snapshot.hasDefaultRoute(["up0"]))
            #expect(!snapshot.carriesSomething(["br0"]))
            try change(snapshot)
            let moved = try seen()
            #expect(try shell("ip -4 addr show dev up0") == "")
            for route in [
                "default via 10.90.0.1 dev br0 metric 100", "10.93.0.0/16 via 10.90.0.9 dev br0 table 77",
                "10.92.0.0/16 via 10.90.0.9 dev br0 src 10.90.0.3 mtu 1400",
                "nexthop via 10.90.0.7 dev br0 weight 2", "default via fd90::1 dev br0 metric 2048",
                "10.96.0.0/16 dev other0", "inet 10.90.0.3/24 scope global secondary br0:1",
            ] { #expect(moved.contains(route), "\(route) is not in:\n\(moved)") }
            try JSONDecoder().decode(NetworkSnapshot.self, from: JSONEncoder().encode(snapshot)).restore()
            #expect(try seen() == before)
            try snapshot.restore()
            #expect(try seen() == before)
        }
    }

    /// A bridge that was deleted is made again, with its ports.
    @Test func aBridgeComesBack() throws {
        try OwnNetwork.run {
            #expect(try shell(Self.world) == "")
            try change(try NetworkSnapshot(of: ["br0", "up0"], alias: "ours"))
            let before = try normalized()
            let snapshot = try NetworkSnapshot(of: ["br0", "up0"], alias: "ours")
            #expect(try shell("ip link set up0 nomaster") == "")
            try snapshot.move(from: "br0", to: "up0")
            #expect(try shell("ip link delete br0") == "")
            #expect(try seen().contains("default via 10.90.0.1 dev up0 metric 100"))
            try snapshot.restore()
            let after = try normalized()
            #expect(after == before, "before:\n\(before)after:\n\(after)")
        }
    }

    /// A bridge forgets a port that leaves it.
    @Test func whatABridgeKnowsOfAPortComesBack() throws {
        try OwnNetwork.run {
            #expect(try shell(Self.world) == "")
            try change(try NetworkSnapshot(of: ["br0", "up0"], alias: "ours"))
            #expect(try shell("bridge link set dev up0 isolated on hairpin on learning off flood off") == "")
            let before = try shell(Self.port)
            let snapshot = try NetworkSnapshot(of: ["br0", "up0"], alias: "ours")
            for loss in ["ip link set up0 nomaster", "ip link delete br0"] {
                #expect(try shell(loss) == "")
                try snapshot.restore()
                #expect(try shell(Self.port) == before, "\(loss)")
            }
            #expect(try shell("ip link set up0 nomaster; ip link set up0 master br0") == "")
            #expect(try shell(Self.port) != before)
            try snapshot.restore()
            #expect(try shell(Self.port) == before)
        }
    }

    private static let port = "bridge -d link show dev up0 | grep -o 'hairpin.*'"

    /// How the kernel treats IP on a link goes with the addresses.
    @Test func whatTheKernelDoesWithIPMoves() throws {
        try OwnNetwork.run {
            #expect(try shell(Self.world) == "")
            let values = [
                "ipv6/conf/LINK/accept_ra": "2", "ipv6/conf/LINK/autoconf": "0",
                "ipv6/conf/LINK/addr_gen_mode": "1",
                "ipv4/conf/LINK/rp_filter": "2", "ipv4/conf/LINK/proxy_arp": "1",
                "ipv4/conf/LINK/arp_ignore": "1", "ipv4/conf/LINK/arp_announce": "2",
            ]
            func set(_ link: String, _ value: (String) -> String) throws {
                for (key, usual) in values {
                    let path = "/proc/sys/net/" + key.replacingOccurrences(of: "LINK", with: link)
                    #expect(try shell("echo \(value(usual)) >\(path)") == "")
                }
            }
            func seen(_ link: String) throws -> [String] {
                try values.keys.sorted().map { key in
                    let path = "/proc/sys/net/" + key.replacingOccurrences(of: "LINK", with: link)
                    return try key + "=" + shell("cat \(path)")
                }
            }
            try set("up0") { $0 }
            let wanted = try seen("up0")
            let snapshot = try NetworkSnapshot(of: ["br0", "up0"], alias: "ours")
            try change(snapshot)
            #expect(try seen("br0") == wanted)
            let bridged = try NetworkSnapshot(of: ["br0", "up0"], alias: "ours")
            try set("up0") { _ in "0" }
            #expect(try shell("ip link delete br0") == "")
            try bridged.restore()
            #expect(try seen("br0") == wanted && seen("up0") == wanted)
            try set("up0") { _ in "0" }
            try snapshot.restore()
            #expect(try seen("up0") == wanted)
        }
    }

    /// Where all addresses are there already, somebody's own values stay.
    @Test func valuesOfABridgeThatLacksNothingStay() throws {
        try OwnNetwork.run {
            #expect(try shell(Self.world) == "")
            let snapshot = try NetworkSnapshot(of: ["up0"], alias: "ours")
            try change(snapshot)
            #expect(try shell("echo 0 >/proc/sys/net/ipv6/conf/br0/accept_ra") == "")
            try snapshot.move(from: "up0", to: "br0", lasting: true)
            #expect(try shell("cat /proc/sys/net/ipv6/conf/br0/accept_ra") == "0\n")
        }
    }

    /// What is made again at a boot: the host's own, over links by their names.
    @Test func whatLastsIsMadeAgainAfterAReboot() throws {
        let kept = Mutex<NetworkSnapshot?>(nil)
        try OwnNetwork.run {
            #expect(try shell(Self.world) == "")
            let foreign = """
                ip addr add 10.90.0.60/32 dev up0
                ip addr add 10.90.0.70/24 dev up0 valid_lft 600 preferred_lft 600
                ip -6 addr add fd90::60/128 dev up0; ip addr add 192.0.2.7/32 dev up0
                ip route add 10.97.0.0/16 via 10.90.0.1 proto bird
                ip route add 10.98.0.0/16 via 10.90.0.1 src 10.90.0.60
                """
            #expect(try shell(foreign) == "")
            #expect(try shell(Self.clusters) == "0\n")
            let snapshot = try NetworkSnapshot(of: ["up0"], alias: "ours").kept()
            let copy = try JSONDecoder().decode(
                NetworkSnapshot.self, from: JSONEncoder().encode(snapshot))
            kept.withLock { $0 = copy }
            #expect(snapshot.lastingAddresses.count == 5)
        }
        let snapshot = try #require(kept.withLock { $0 })
        try OwnNetwork.run {
            // The links come in another order, and one of them later.
            let boot = """
                ip link set lo up; ip link add x0 type veth peer name x1
                ip link add x2 type veth peer name x3
                ip link add br0 type bridge; ip link set br0 up; ip link set x0 up; ip link set x2 up
                ip link add up0 type veth peer name far0; ip link set up0 up; ip link set far0 up
                ip link set up0 master br0
                """
            #expect(try shell(boot) == "")
            let missing = #expect(throws: HostNetError.self) {
                try snapshot.move(from: "up0", to: "br0", lasting: true)
            }
            #expect(missing?.message.contains("other0") == true && missing?.errno == ENODEV)
            let first = try seen()
            #expect(
                first.contains("default via 10.90.0.1 dev br0 metric 100") && !first.contains("10.96.0.0"))
            #expect(try shell("ip link add other0 type veth peer name other1; ip link set other0 up") == "")
            try snapshot.move(from: "up0", to: "br0", lasting: true)
            let now = try seen()
            for wanted in [
                "inet 10.90.0.2/24", "inet 10.90.0.3/24", "inet 10.91.0.2/24", "inet6 fd90::2/64",
                "inet 192.0.2.7/32", "10.96.0.0/16 dev other0 scope link src 10.90.0.2",
                "10.93.0.0/16 via 10.90.0.9 dev br0 table 77",
            ] { #expect(now.contains(wanted), "\(wanted) is not in:\n\(now)") }
            for unwanted in [
                "10.90.0.50", "10.90.0.60", "10.90.0.70", "fd90::60", "10.97.0.0", "10.98.0.0", "16 dev x",
            ] { #expect(!now.contains(unwanted), "\(unwanted) is in:\n\(now)") }
        }
    }

    /// 10.90.0.50/24 as keepalived adds it, which says so (`IFA_PROTO`); older `ip` cannot.
    private static let clusters = """
        python3 -c '
        import socket, struct
        link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        address = socket.inet_aton("10.90.0.50")
        body = struct.pack("=BBBBI", socket.AF_INET, 24, 0, 0, socket.if_nametoindex("up0"))
        body += struct.pack("=HH4s", 8, 2, address) + struct.pack("=HH4s", 8, 1, address)
        body += struct.pack("=HHB3x", 5, 11, 18)
        link.send(struct.pack("=IHHII", 16 + len(body), 20, 0x605, 1, 0) + body)
        print(struct.unpack("=i", link.recv(4096)[16:20])[0])
        '
        """

    /// Where the kernel has VLANs on bridges.
    @Test func aPortsVLANsComeBack() throws {
        try OwnNetwork.run {
            let script = """
                ip link add br0 type bridge vlan_filtering 1 && ip link add up0 type veth peer name far0 &&
                ip link set up0 master br0 && bridge vlan del dev up0 vid 1 &&
                bridge vlan add dev up0 vid 10 pvid untagged && bridge vlan add dev up0 vid 20 &&
                bridge vlan add dev br0 vid 20 self && bridge vlan show | grep -c 20
                """
            guard try shell(script) == "2\n" else { return }
            let before = try shell("bridge vlan show")
            let snapshot = try NetworkSnapshot(of: ["br0", "up0"], alias: "ours")
            for loss in ["ip link set up0 nomaster", "ip link delete br0"] {
                #expect(try shell(loss) == "")
                try snapshot.restore()
                #expect(try shell("bridge vlan show") == before, "\(loss)")
            }
        }
    }

    /// A card that is pulled out meanwhile keeps nobody from bringing back the rest.
    @Test func whatIsGoneIsNoDifference() throws {
        try OwnNetwork.run {
            #expect(try shell(Self.world) == "")
            let snapshot = try NetworkSnapshot(of: ["up0", "other0"], alias: "ours")
            #expect(try shell("ip link delete other0; ip addr flush dev up0") == "")
            try snapshot.restore()
            let now = try seen()
            #expect(now.contains("inet 10.90.0.2/24") && now.contains("default via 10.90.0.1"), "\(now)")
        }
    }

    /// Without the numbers of links, and without the order of what the kernel gives each link by itself.
    private func normalized() throws -> String {
        _ = try seen()
        return try shell(
            """
            ip -o addr | sed 's/^[0-9]*: //' | grep -v ' fe80::'; ip -o addr | grep -o ' fe80::.*' | sort
            ip -4 route show table all; ip -6 route show table all | sort
            ip link show up0 | grep -o 'er br0'
            """
        )
    }

    private func change(_ snapshot: NetworkSnapshot) throws {
        _ = try shell(
            "ip link add br0 type bridge; ip link set br0 alias ours up; ip link set up0 master br0")
        let mac = try #require(try Links.all().first { $0.name == "up0" }?.mac)
        _ = try shell("ip link set br0 address \(mac)")
        try snapshot.move(from: "up0", to: "br0")
    }
}
