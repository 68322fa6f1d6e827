// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1"), ("fd00:0:0::1", "fd00::1"), ("::ffff", "::ffff"), ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
    ])
    func addressesAreWrittenInOneWay(_ text: String, _ written: String) {
        #expect(IPAddress(text)?.description == written)
    }

    @Test(arguments: ["", "10.0.0", "10.0.0.256", "fd00", "1::2::3", "10.0.0.1 ", "010.0.0.1/8", "a.b.c.d"])
    func whatIsNoAddress(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test func subnetsKnowTheirAddresses() throws {
        let subnet = try Subnet(checking: "10.20.30.128/25")
        #expect(subnet.last.description == "10.20.30.255")
        #expect(subnet.contains(IPAddress("10.20.30.130")!) && !subnet.contains(IPAddress("10.20.30.127")!))
        #expect(!subnet.contains(IPAddress("fd00::1")!))
        #expect(try subnet.overlaps(Subnet(checking: "10.0.0.0/8")))
        #expect(try !subnet.overlaps(Subnet(checking: "10.20.30.0/25")))
        #expect(try Subnet(checking: "::/0").last.description == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    }

    @Test(arguments: [
        ("10.0.0.1/24", "10.0.0.0/24"), ("10.0.0.0", "this is no subnet"), ("10.0.0.0/33", "no subnet"),
        ("fd00::/129", "no subnet"), ("/24", "no subnet"), ("10.0.0.0/-1", "no subnet"),
    ])
    func wrongSubnetsAreExplained(_ text: String, _ word: String) {
        let error = #expect(throws: InvalidValue.self) { _ = try Subnet(checking: text) }
        #expect(error?.problem.contains(word) == true)
    }

    @Test func rangesGoUp() throws {
        #expect(try DHCPRange(checking: "10.0.0.5-10.0.0.9").contains(IPAddress("10.0.0.7")!))
        for text in ["10.0.0.9-10.0.0.5", "10.0.0.5", "10.0.0.5-fd00::1", "-", "a-b"] {
            #expect(throws: InvalidValue.self, "\(text)") { _ = try DHCPRange(checking: text) }
        }
    }
}
