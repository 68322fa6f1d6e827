// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import VctlAPI

extension RealGuests {
    /// The rules of networks at the host's boot, before any daemon of ours runs.
    @Suite(.hosted("boot"))
    struct BootRules {
        private static let kept = "/var/lib/vctld/firewall.nft"

        @Test func rulesAreThereBeforeTheDaemon() throws {
            let wire = Wires(lab: try Lab.current)
            let lab = wire.lab
            try wire.makeLAN()
            try lab.must("network", "create", "nat", "--model", "nat", "--subnet", "10.63.0.0/24")
            try lab.must("network", "create", "deep", "--model", "isolated")
            try wire.add("guest", to: try wire.bridge("nat"), ["10.63.0.9/24"], gateways: ["via 10.63.0.1"])
            try wire.sh("nft add table inet theirs; nft add chain inet theirs kept")
            let rules = try wire.rules()
            #expect(rules.contains("masquerade"))
            try lab.crash()
            // What a boot begins with.
            try wire.sh("nft delete table inet vctl")
            #expect(try wire.ask(from: "outside", ["10.63.0.9"]) == [Wires.outside.four], "nothing guards it")
            let load = try lab.inside("\(Lab.build)/vctld", "--load-firewall")
            #expect(load.status == 0 && load.out.isEmpty && load.err.isEmpty, "\(load)")
            #expect(try wire.rules() == rules)
            #expect(try wire.ask(from: "outside", ["10.63.0.9"]) == ["-"])
            #expect(try wire.ask(from: "guest", [Wires.outside.four]) == [Wires.host.four])
            // Twice is as good, and so is where they are already.
            #expect(try lab.inside("\(Lab.build)/vctld", "--load-firewall").status == 0)
            #expect(try wire.rules() == rules)
            // The file is for the system's own tool, too.
            try wire.sh("nft delete table inet vctl; nft --file \(Self.kept)")
            #expect(try wire.rules() == rules)
            #expect(try lab.inside("nft", "list", "table", "inet", "theirs").out.contains("chain kept"))
            try lab.startDaemon()
            #expect(try wire.rules() == rules)
            try lab.must("network", "delete", "deep", "--yes")
            let less = try wire.rules()
            #expect(less != rules)
            try wire.sh("nft --check --file \(Self.kept)")
            try wire.remove("guest")
            try lab.must("network", "delete", "nat", "--yes")
            try eventually("nothing is kept of what is gone") {
                try lab.inside("test", "-e", Self.kept).status == 1
            }
            #expect(try lab.inside("\(Lab.build)/vctld", "--load-firewall").status == 0)
            #expect(try wire.rules().isEmpty)
        }
    }
}
