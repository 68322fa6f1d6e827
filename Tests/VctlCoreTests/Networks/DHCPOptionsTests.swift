// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

struct DHCPOptionsTests {
    private static let foreign = "dhcp-option=option:tftp-server,10.5.0.2"
    private static let host = IPAddress("10.5.0.1")!

    private static func network() throws -> NetworkXML {
        try NetworkXML(
            parsing: """
                <network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'><name>n</name>
                <dnsmasq:options><dnsmasq:option value='\(foreign)'/>
                <dnsmasq:option value='dhcp-option=42,10.5.0.3'/></dnsmasq:options></network>
                """)
    }

    private static func route(_ text: String) throws -> DHCPRoute { try DHCPRoute(checking: text) }

    @Test func othersOptionsStay() throws {
        var network = try Self.network()
        #expect(DHCPOptions(network).ntpServers == [IPAddress("10.5.0.3")!])
        DHCPOptions(ntpServers: [], routes: []).write(to: &network, gateway: nil)
        #expect(DHCPOptions.values(network) == [Self.foreign])
    }

    /// Who is told routes listens to no other word about a router (RFC 3442).
    @Test func theWayToEverybodyIsAmongTheRoutes() throws {
        var network = try Self.network()
        let wanted = DHCPOptions(
            ntpServers: [IPAddress("10.5.0.9")!], routes: [try Self.route("10.99.0.0/16,via=10.5.0.7")])
        wanted.write(to: &network, gateway: Self.host)
        #expect(
            DHCPOptions.values(network) == [
                Self.foreign, "dhcp-option=option:ntp-server,10.5.0.9",
                "dhcp-option=option:classless-static-route,0.0.0.0/0,10.5.0.1,10.99.0.0/16,10.5.0.7",
            ])
        #expect(DHCPOptions(network).told(by: [Self.host]) == wanted)
        let once = DHCPOptions.values(network)
        wanted.write(to: &network, gateway: Self.host)
        #expect(DHCPOptions.values(network) == once)
    }

    @Test func whatNoGuestCouldFollowIsRefused() throws {
        let subnet = try Subnet(checking: "10.5.0.0/24")
        let routes = try ["10.9.0.0/16,via=10.5.0.7", "10.9.0.0/16,via=10.5.0.8", "10.8.0.0/16,via=10.6.0.1"]
            .map(Self.route)
        let found = NetworkRules.optionProblems([IPAddress("fd00::1")!], routes, subnet, isKnown: true)
        #expect(found.map(\.field) == ["ntpServers[0]", "routes[1]", "routes[2]"])
    }
}
