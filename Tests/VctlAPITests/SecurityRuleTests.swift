// SPDX-License-Identifier: Apache-2.0
import Testing
import VctlAPI

@Suite struct SecurityRuleTests {
    @Test(arguments: [
        ("tcp/22", "tcp/22"), ("udp/5000-5010", "udp/5000-5010"), ("icmp", "icmp"), ("any", "any"),
        ("tcp", "tcp"),
        ("tcp/22 from 10.0.0.0/8", "tcp/22 from 10.0.0.0/8"), ("any from fd00::/8", "any from fd00::/8"),
        ("tcp/22 from 10.0.0.1", "tcp/22 from 10.0.0.1/32"), ("tcp/80-80", "tcp/80"),
    ])
    func rulesAreRead(_ text: String, _ said: String) throws {
        let rule = try SecurityRule(checking: text)
        #expect(rule.description == said)
        #expect(try SecurityRule(checking: rule.description) == rule)
    }

    @Test(arguments: [
        "", "tcp/", "tcp/0", "tcp/65536", "tcp/22-21", "icmp/1", "any/22", "sctp/22", "tcp/22 from",
        "tcp/1-2-3",
        "tcp/22 from 10.0.0.1/8", "tcp/22 to 10.0.0.0/8", "tcp/22 from 10.0.0.0/33", "tcp/22 from x; drop",
    ])
    func othersAreNone(_ text: String) {
        #expect(throws: InvalidValue.self) { try SecurityRule(checking: text) }
    }
}
