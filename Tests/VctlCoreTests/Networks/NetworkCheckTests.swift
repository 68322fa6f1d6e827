// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlCore

/// What is promised of each model, and why something may differ. Who really reaches whom is seen with real
/// probes.
@Suite struct NetworkCheckTests {
    private func network(_ model: NetworkModel, _ subnets: String...) throws -> Network {
        var network = Network(
            id: ObjectID(), name: "lab", mode: "open", state: .running,
            observedAt: Timestamp(milliseconds: 0))
        (network.model, network.managed, network.bridge) = (model, true, "vbr-a")
        let known = try subnets.map { try Subnet(checking: $0) }
        network.subnet = known.first { $0.family == .ipv4 }
        network.subnet6 = known.first { $0.family == .ipv6 }
        network.hostAddresses = known.map { $0.address(at: 1) }
        network.hostAccess = model != .bridged && !subnets.isEmpty
        return network
    }

    private func families(_ network: Network, _ taken: [String] = [], isIPv6Translated: Bool = false) throws
        -> [CheckFamily]
    {
        CheckPlanner(
            network: network, files: try HostTree().files, taken: Set(taken.compactMap { IPAddress($0) }),
            isIPv6Translated: isIPv6Translated
        ).families()
    }

    private func promises(_ network: Network, _ family: IPFamily = .ipv4) throws -> [String] {
        let all = try families(network).first { $0.family == family }?.paths() ?? []
        return all.map { "\($0.from)>\($0.to) \($0.expected.map { "\($0)" } ?? "-")" }
    }

    @Test func eachModelPromisesItsOwn() throws {
        let inside = "guest>neighbour reached"
        let nat = try network(.nat, "10.9.0.0/24")
        #expect(
            try promises(nat) == [
                inside, "guest>host reached", "host>guest reached", "guest>outside reached",
                "outside>guest unreached",
            ])
        #expect(try promises(nat, .ipv6) == [inside, "guest>outside unreached", "outside>guest unreached"])
        #expect(
            try promises(try network(.isolated)) == [
                inside, "guest>host unreached", "host>guest unreached", "guest>outside unreached",
                "outside>guest unreached",
            ])
        var lan = try network(.bridged)
        #expect(try promises(lan) == [inside, "guest>dhcp -"])
        lan.model = nil
        #expect(try promises(lan, .ipv6) == [inside])
        // libvirt's own `nat` translates IPv6 only where it is told to.
        var foreign = try network(.nat, "10.9.0.0/24", "fd09::/64")
        (foreign.managed, foreign.mode) = (false, "nat")
        #expect(try promises(foreign, .ipv6).last == "outside>guest reached")
        let told = try families(foreign, isIPv6Translated: true)[1].paths()
        #expect(told.last?.expected == .unreached)
    }

    @Test func sourcesAreThoseOfTheModel() throws {
        let nat = try families(try network(.nat, "10.9.0.0/24"))[0]
        let out = nat.paths().first { $0.to == .outside }
        #expect(out?.expectedSource == nat.hostOutside && nat.hostOutside != nat.outsider)
        let routed = try families(try network(.routed, "10.9.0.0/24"))[0]
        #expect(routed.paths().first { $0.to == .outside }?.expectedSource == routed.guests[0])
        #expect(routed.paths().first { $0.from == .host }?.expectedSource == IPAddress("10.9.0.1"))
    }

    @Test func probesTakeNobodysAddress() throws {
        var network = try network(.routed, "10.9.0.0/29")
        let taken = ["10.9.0.6", "10.9.0.4"]
        #expect(try families(network, taken)[0].guests.map(\.description) == ["10.9.0.5", "10.9.0.3"])
        network.dhcpRanges = [try DHCPRange(checking: "10.9.0.4-10.9.0.5")]
        #expect(try families(network)[0].guests.map(\.description) == ["10.9.0.6", "10.9.0.3"])
        #expect(try families(network, ["10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5"])[0].guests.count == 1)
    }

    @Test func addressesOfTheHostAreNotUsedForTheOutside() throws {
        let route = """
            Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
            eth0 006433C6 00000000 0001 0 0 0 00FFFFFF 0 0 0
            """
        let tree = try HostTree(["/proc/net/route": route])
        let planner = CheckPlanner(
            network: try network(.isolated), files: tree.files, taken: [], isIPv6Translated: false)
        #expect(planner.families()[0].outside.description == "192.0.2.0/24")
    }

    // MARK: Causes

    private func causes(
        _ path: NetworkPath, _ files: [String: String] = [:], _ rules: [Ruleset] = [], intact: Bool? = nil
    ) throws -> [String] {
        // Its files go with it.
        let tree = try HostTree(files)
        return try withExtendedLifetime(tree) {
            NetworkCauses(
                network: try network(.routed, "10.9.0.0/24"), bridge: "vbr-a", files: tree.files,
                rulesets: rules, areRulesIntact: intact
            ).causes(of: path, guest: IPAddress("10.9.0.9")).map { "\($0.code): \($0.hint ?? "-")" }
        }
    }

    private func cut(_ from: NetworkEnd, _ to: NetworkEnd, _ family: IPFamily = .ipv4) -> NetworkPath {
        var path = NetworkPath(from: from, to: to, family: family)
        (path.expected, path.seen) = (.reached, .unreached)
        return path
    }

    private static let forwards = [
        "/proc/sys/net/ipv4/ip_forward": "1", "/proc/sys/net/ipv6/conf/all/forwarding": "1",
    ]

    @Test func aWayIsOnlyCutByWhatLiesOnIt() throws {
        let closed = [Ruleset(iptables: "-P INPUT DROP\n-P FORWARD DROP\n-P OUTPUT ACCEPT")]
        let both =
            "forward.policy: iptables-legacy -I FORWARD -i vbr-a -j ACCEPT"
            + " && iptables-legacy -I FORWARD -o vbr-a -j ACCEPT"
        #expect(try causes(cut(.guest, .outside), Self.forwards, closed) == [both])
        #expect(
            try causes(cut(.guest, .outside, .ipv6), Self.forwards, closed) == ["unknown: nft list ruleset"])
        #expect(try causes(cut(.guest, .neighbour), Self.forwards, closed) == ["unknown: nft list ruleset"])
        let seen = ["/proc/sys/net/bridge/bridge-nf-call-iptables": "1"]
        #expect(try causes(cut(.guest, .neighbour), seen, closed) == [both])
        #expect(
            try causes(cut(.guest, .neighbour), seen, [])
                == ["bridge.netfilter: sysctl -w net.bridge.bridge-nf-call-iptables=0"])
        #expect(
            try causes(cut(.guest, .host), [:], closed)
                == ["input.policy: iptables-legacy -I INPUT -i vbr-a -j ACCEPT"])
    }

    @Test func forwardingIsMissedOfAllAndOfOneBridge() throws {
        #expect(try causes(cut(.guest, .outside)) == ["forwarding.off: sysctl -w net.ipv4.ip_forward=1"])
        let one = Self.forwards.merging(["/proc/sys/net/ipv4/conf/vbr-a/forwarding": "0"]) { $1 }
        #expect(
            try causes(cut(.outside, .guest), one)
                == ["forwarding.off: sysctl -w net.ipv4.conf.vbr-a.forwarding=1"])
    }

    @Test func whatIsLetThroughWronglyAndRulesThatAreGoneAreSaid() throws {
        var leak = cut(.outside, .guest)
        (leak.expected, leak.seen) = (.unreached, .reached)
        #expect(try causes(leak, intact: false) == ["rules.missing: systemctl restart vctld"])
        #expect(try causes(leak, intact: true) == ["unknown: nft list ruleset"])
        var other = cut(.guest, .outside)
        other.seen = .reached
        #expect(try causes(other).first?.hasPrefix("source.changed") == true)
    }

    @Test func theVerdictIsTheWorst() throws {
        var report = NetworkCheck(network: "lab", networkID: ObjectID(), model: .nat, checkedAt: .now)
        report.paths = [cut(.guest, .dhcp)]
        report.paths[0].expected = nil
        #expect(report.judged { _ in [] }.verdict == .unproven)
        var fine = cut(.guest, .outside)
        (fine.seen, fine.expectedSource, fine.source) = (
            .reached, IPAddress("10.0.0.1"), IPAddress("10.0.0.1")
        )
        report.paths.append(fine)
        #expect(report.judged { _ in [] }.verdict == .ok)
        fine.source = IPAddress("10.0.0.2")
        report.paths.append(fine)
        let cause = NetworkCause(code: "x.y", message: "m", hint: nil)
        let judged = report.judged { _ in [cause] }
        #expect(judged.verdict == .differs && judged.causes == [cause])
        #expect(judged.paths.map(\.causes) == [[], [], ["x.y"]])
    }
}
