// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

@testable import VctlCore

struct ForwardPolicyTests {
    /// A host with a bridge of libvirt, Docker's two, and one with the host's own NIC in it.
    private func host(_ more: [String: String] = [:]) throws -> HostTree {
        var files = [
            "/sys/class/net/eth0/device/vendor": "0x1af4", "/sys/class/net/br0/brif/eth0/state": "3",
        ]
        for name in ["virbr0", "docker0", "br-0123456789ab", "br0", "br-office"] {
            files["/sys/class/net/\(name)/bridge/bridge_id"] = "8000.525400000001"
        }
        return try HostTree(files.merging(more) { $1 })
    }

    @Test func onlyBridgesThatTheFilterSeesCount() throws {
        let plain = try host()
        #expect(VMBridges(files: plain.files).forwarded() == ["br-office", "virbr0"])
        let seen = try host(["/proc/sys/net/bridge/bridge-nf-call-iptables": "1\n"])
        #expect(VMBridges(files: seen.files).forwarded() == ["br-office", "br0", "virbr0"])
    }

    /// Rules made with the real tools, in a network namespace that ends with the command.
    private static func rules(_ script: String, _ list: String = "nft --json --terse list ruleset")
        async throws -> String
    {
        try await Tool("unshare", ["--net", "--", "sh", "-ec", "\(script)\n\(list)"]).run().text
    }

    private static let docker = """
        iptables -P FORWARD DROP; iptables -N DOCKER-USER; iptables -A DOCKER-USER -j RETURN
        iptables -A FORWARD -j DOCKER-USER
        iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
        iptables -A FORWARD -i docker0 -o docker0 -j ACCEPT
        """
    /// As libvirt 9.0 makes them for a NAT network.
    private static let libvirt = """
        iptables -N LIBVIRT_FWI; iptables -N LIBVIRT_FWO; iptables -N LIBVIRT_FWX
        iptables -A FORWARD -j LIBVIRT_FWX; iptables -A FORWARD -j LIBVIRT_FWI
        iptables -A FORWARD -j LIBVIRT_FWO
        iptables -A LIBVIRT_FWX -i virbr0 -o virbr0 -j ACCEPT
        iptables -A LIBVIRT_FWI -o virbr0 -j REJECT
        iptables -A LIBVIRT_FWO -i virbr0 -s 192.168.122.0/24 -j ACCEPT
        """

    private func notes(_ json: String, _ bridges: [String] = ["virbr0"]) throws -> [Note] {
        ForwardPolicyFindings(kernel: kernel(try HostTree())).notes(try Ruleset(nftables: json), bridges)
    }

    @Test(.enabled(if: geteuid() == 0, "rules need root"))
    func dockersPolicyIsMendedByTheHint() async throws {
        let cut = try notes(try await Self.rules(Self.docker))
        #expect(cut.map(\.status) == [.warning])
        #expect(cut[0].message.hasPrefix("Docker lets") && cut[0].message.contains("VMs on virbr0 send"))
        let hint = try #require(cut[0].hint)
        #expect(hint.hasPrefix("iptables -I DOCKER-USER -i virbr0 -j ACCEPT && "))
        #expect(try notes(try await Self.rules("\(Self.docker)\n\(hint)")).isEmpty)
        let half = hint.split(separator: "&&")[0]
        #expect(try notes(try await Self.rules("\(Self.docker)\n\(half)")).count == 1)
    }

    @Test(.enabled(if: geteuid() == 0, "rules need root"))
    func libvirtsOwnRulesAreEnough() async throws {
        let json = try await Self.rules("\(Self.docker)\n\(Self.libvirt)")
        #expect(try notes(json).isEmpty)
        #expect(try notes(json, ["br7", "virbr0", "br8"])[0].message.contains("VMs on br7, br8 send"))
        let all = "\niptables -I DOCKER-USER -i br+ -j ACCEPT; iptables -I DOCKER-USER -o br+ -j ACCEPT"
        #expect(try notes(try await Self.rules(Self.docker + all), ["br7"]).isEmpty)
    }

    @Test(.enabled(if: geteuid() == 0, "rules need root"))
    func othersPoliciesCutOffAsWell() async throws {
        let own = """
            nft add table inet own
            nft 'add chain inet own forwarded { type filter hook forward priority 0; policy drop; }'
            """
        let foreign = try notes(try await Self.rules(own))
        #expect(
            foreign.map(\.hint) == [
                "nft insert rule inet own forwarded iifname virbr0 accept"
                    + " && nft insert rule inet own forwarded oifname virbr0 accept"
            ])
        let mended = try await Self.rules("\(own)\n\(try #require(foreign[0].hint))")
        #expect(try notes(mended).isEmpty)
        let ufw = "iptables -P FORWARD DROP; iptables -N ufw-before-forward"
        #expect(
            try notes(try await Self.rules(ufw))[0].hint?.hasPrefix("ufw route allow in on virbr0") == true)
        #expect(
            try notes(try await Self.rules("iptables -P FORWARD DROP"))[0].hint?.hasPrefix(
                "iptables -I FORWARD")
                == true)
        #expect(try notes(try await Self.rules("iptables -P FORWARD ACCEPT; iptables -P INPUT DROP")).isEmpty)
        // IPv6 that the host does not forward is missed by nobody.
        #expect(try notes(try await Self.rules("ip6tables -P FORWARD DROP")).isEmpty)
    }

    /// A chain may let pass by its policy, and refuse all that comes to its end.
    @Test(.enabled(if: geteuid() == 0, "rules need root"))
    func aRefusalAtTheEndIsAPolicy() async throws {
        let cut = try notes(try await Self.rules("iptables -A FORWARD -j REJECT"))
        #expect(cut.count == 1)
        let chains = "iptables -A FORWARD -s 10.0.0.0/8 -j DROP; iptables -A FORWARD -j RETURN"
        #expect(try notes(try await Self.rules(chains)).isEmpty)
        let input = try Ruleset(nftables: try await Self.rules("iptables -P INPUT DROP"))
        let chain = try #require(input.hookChains.first { $0.hook == "input" })
        #expect(chain.drops && chain.concerns(.ipv4) && !chain.concerns(.ipv6))
        #expect(input.remedy(chain, ["virbr0"]) == "iptables -I INPUT -i virbr0 -j ACCEPT")
        #expect(!input.knows("virbr0", in: chain))
    }

    @Test(.enabled(if: geteuid() == 0, "rules need root"))
    func theOlderKindOfRulesIsRead() async throws {
        let script = Self.docker.replacing("iptables", with: "iptables-legacy")
        let text = try await Self.rules(script, "iptables-legacy -S")
        let check = ForwardPolicyFindings(kernel: kernel(try HostTree()))
        let cut = check.notes(Ruleset(iptables: text), ["virbr0"])
        #expect(cut.count == 1 && cut[0].message.hasPrefix("Docker lets"))
        let hint = try #require(cut[0].hint)
        #expect(hint.hasPrefix("iptables-legacy -I DOCKER-USER"))
        let mended = try await Self.rules("\(script)\n\(hint)", "iptables-legacy -S")
        #expect(check.notes(Ruleset(iptables: mended), ["virbr0"]).isEmpty)
    }

    @Test func aListOfRulesIsReadWithAllThatItMayHold() throws {
        let json = """
            {"nftables":[{"metainfo":{"version":"1.0.6","json_schema_version":1}},
            {"table":{"family":"ip","name":"filter","handle":1}},
            {"chain":{"family":"ip","table":"filter","name":"FORWARD","handle":1,"type":"filter",\
            "hook":"forward","prio":0,"policy":"drop"}},
            {"chain":{"family":"bridge","table":"b","name":"f","handle":1,"type":"filter",\
            "hook":"forward","prio":0,"policy":"drop"}},
            {"set":{"family":"ip","name":"s","table":"filter","type":"ipv4_addr","elem":["10.0.0.1"]}},
            {"rule":{"family":"ip","table":"filter","chain":"FORWARD","handle":4,"expr":[
            {"match":{"op":"==","left":{"meta":{"key":"iifname"}},"right":"virbr0"}},{"xt":null},"notrack",
            {"match":{"op":"==","left":{"payload":{"protocol":"ip","field":"saddr"}},"right":{"set":[1]}}},
            {"accept":null}]}},
            {"rule":{"family":"ip","table":"filter","chain":"FORWARD","handle":5,"expr":[
            {"match":{"op":"==","left":{"meta":{"key":"oifname"}},"right":"virbr0"}},{"accept":null}]}}]}
            """
        #expect(try notes(json).isEmpty)
        #expect(try notes(json, ["virbr1"]).count == 1)
        #expect(throws: (any Error).self) { try Ruleset(nftables: "no JSON") }
    }
}
