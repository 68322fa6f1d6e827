// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@testable import VctlCore

@Suite struct NetworkRulesTests {
    private func request(_ model: NetworkModel, _ change: (inout NetworkCreate) throws -> Void = { _ in })
        throws -> NetworkCreate
    {
        var create = NetworkCreate(name: try Name("lab"), model: model)
        if model == .bridged { create.bridge = "br0" }
        try change(&create)
        return create
    }

    private func fields(_ create: NetworkCreate) -> [String] {
        NetworkRules.problems(create).map(\.field)
    }

    @Test(arguments: NetworkModel.allCases) func theLeastRequestOfEachModelIsFine(_ model: NetworkModel)
        throws
    {
        #expect(NetworkRules.problems(try request(model)).isEmpty)
    }

    @Test func whatAModelHasNotIsRefused() throws {
        let subnet = SubnetChoice.subnet(try Subnet(checking: "10.9.0.0/24"))
        #expect(fields(try request(.isolated) { $0.subnet = subnet }) == ["subnet"])
        #expect(fields(try request(.isolated) { ($0.subnet, $0.hostAccess) = (subnet, true) }).isEmpty)
        #expect(fields(try request(.bridged) { $0.subnet = .auto }) == ["subnet"])
        #expect(fields(try request(.bridged) { $0.bridge = nil }) == ["bridge"])
        #expect(fields(try request(.bridged) { $0.bridge = "an-interface-name" }) == ["bridge"])
        #expect(fields(try request(.bridged) { $0.mtu = 1400 }) == ["mtu"])
        #expect(fields(try request(.nat) { ($0.bridge, $0.vlan) = ("br0", 5) }) == ["bridge", "vlan"])
        #expect(fields(try request(.nat) { $0.hostAccess = true }) == ["hostAccess"])
        #expect(fields(try request(.nat) { $0.subnet = SubnetChoice.none }) == ["subnet"])
        #expect(fields(try request(.routed) { $0.domain = "-x" }) == ["domain"])
    }

    @Test(arguments: [0, 4095, -1]) func reservedVLANs(_ vlan: Int) throws {
        #expect(fields(try request(.bridged) { $0.vlan = vlan }) == ["vlan"])
    }

    @Test(arguments: [
        ("127.0.0.0/24", false), ("224.1.0.0/24", false), ("169.254.0.0/24", false), ("10.0.0.0/31", false),
        ("10.0.0.0/7", false), ("fd00::/64", false), ("10.0.0.0/30", true), ("172.16.0.0/12", true),
    ])
    func subnets(_ text: String, _ isFine: Bool) throws {
        let create = try request(.nat) { $0.subnet = .subnet(try Subnet(checking: text)) }
        #expect(fields(create) == (isFine ? [] : ["subnet"]))
    }

    @Test(arguments: [
        ("10.9.0.10-10.9.0.99", true), ("10.9.0.2-10.9.0.254", true), ("10.9.0.1-10.9.0.9", false),
        ("10.9.0.9-10.9.0.255", false), ("10.9.1.1-10.9.1.9", false), ("fd00::5-fd00::9", false),
    ])
    func ranges(_ text: String, _ isFine: Bool) throws {
        let create = try request(.nat) {
            $0.subnet = .subnet(try Subnet(checking: "10.9.0.0/24"))
            $0.dhcpRanges = [try DHCPRange(checking: text)]
        }
        #expect(fields(create) == (isFine ? [] : ["dhcpRanges[0]"]))
    }

    @Test func aRangeOfAnUnknownSubnetIsNone() throws {
        let range = try DHCPRange(checking: "10.9.0.10-10.9.0.99")
        #expect(fields(try request(.nat) { $0.dhcpRanges = [range] }) == ["dhcpRanges"])
        let six = try DHCPRange(checking: "fd00::10-fd00::99")
        let both = try request(.nat) {
            $0.subnet = .subnet(try Subnet(checking: "10.9.0.0/24"))
            $0.subnet6 = .subnet(try Subnet(checking: "fd00::/64"))
            $0.dhcpRanges = [range, six]
        }
        #expect(fields(both).isEmpty)
        var twice = both
        twice.dhcpRanges = [range, range]
        #expect(fields(twice) == ["dhcpRanges[1]"])
    }

    @Test func guestsChooseAddressesInASlash64Alone() throws {
        var create = try request(.routed) { $0.subnet6 = .subnet(try Subnet(checking: "fd00::/80")) }
        #expect(fields(create) == ["subnet6"])
        create.subnet = .subnet(try Subnet(checking: "10.9.0.0/24"))
        create.dhcpRanges = [try DHCPRange(checking: "fd00::10-fd00::99")]
        #expect(fields(create).isEmpty)
        create.mtu = 1000
        #expect(fields(create) == ["mtu"])
    }

    @Test func usualRangesLeaveOutWhatIsNoGuests() throws {
        let ranges = NetworkPlanner.usualRanges([try Subnet(checking: "10.9.0.0/24")])
        #expect(ranges.map(\.description) == ["10.9.0.2-10.9.0.254"])
        let large = NetworkPlanner.usualRanges([try Subnet(checking: "10.0.0.0/8")])
        #expect(large.map(\.description) == ["10.0.0.2-10.0.255.255"])
        #expect(NetworkPlanner.usualRanges([try Subnet(checking: "fd00::/64")]).isEmpty)
    }

    @Test func freeSubnetsArePrivateAndApart() throws {
        for family in IPFamily.allCases {
            let found = NetworkPlanner.candidates(family, PlanSamples.instance)
            #expect(found.count > 1000 && Set(found).count == found.count)
            for (one, other) in zip(found, found.dropFirst()) { #expect(!one.overlaps(other)) }
        }
        let six = try #require(NetworkPlanner.candidates(.ipv6, PlanSamples.instance).first)
        #expect(six.description.hasPrefix("fd") && six.prefix == 64)
    }

    private func route6(_ address: String, _ prefix: Int, _ link: String) -> String {
        let none = String(repeating: "0", count: 32)
        return "\(address) \(String(prefix, radix: 16)) \(none) 00 \(none) 00000100 00000001 0 1     \(link)"
    }

    @Test func routesOfTheHostAreRead() throws {
        let tree = try HostTree([
            "/proc/net/route": """
            Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
            eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
            eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0

            """,
            "/proc/net/ipv6_route": """
            \(route6("fd000001000200030000000000000000", 64, "eth1"))
            \(route6("fe800000000000000000000000000000", 64, "eth1"))
            \(route6("00000000000000000000000000000000", 0, "eth1"))
            short line

            """,
        ])
        let routes = HostSubnets(files: tree.files).routes()
        #expect(routes.map { "\($0.subnet) \($0.link)" } == ["192.168.2.0/24 eth0", "fd00:1:2:3::/64 eth1"])
    }
}
