// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import Testing
import VctlAPI
import VirtXML

@testable import VctlCore

struct NetworkFindingsTests {
    // MARK: parts of the kernel

    @Test func modulesAreFoundWithoutLoadingThem() throws {
        var tree = try HostTree(modulesOfDebian)
        #expect(kernel(tree).state("bridge") == .loadable && kernel(tree).state("vhost_net") == .loadable)
        #expect(kernel(tree).state("fuse") == .present && kernel(tree).state("ridge") == .absent)
        try tree.write("/sys/module/bridge/refcnt", "0")
        #expect(kernel(tree).state("bridge") == .present)
        tree = try HostTree([
            "/lib/modules/6.1.0-18-amd64/modules.dep": "kernel/a/tun.ko.zst: kernel/b.ko.zst\n"
        ])
        #expect(kernel(tree).state("tun") == .loadable && kernel(tree).state("b") == .absent)
        #expect(kernel(try HostTree()).state("bridge") == .unseen)
    }

    @Test func bridgesAreTriedWhereNothingHasToBeLoaded() async throws {
        let tree = try HostTree(modulesOfDebian)
        #expect(try await BridgeFindings(kernel: kernel(tree)).notes()[0].message.contains("with the first"))
        try tree.write("/lib/modules/6.1.0-18-amd64/modules.dep", "kernel/drivers/net/tun.ko:\n")
        let lacking = try await BridgeFindings(kernel: kernel(tree)).notes()[0]
        #expect(lacking.status == .critical && lacking.hint?.contains("linux-image") == true)
        guard geteuid() == 0 else { return }
        // The running kernel, in truth; guests of other tests need bridges as well.
        #expect(
            try await BridgeFindings(kernel: kernel(try HostTree())).notes() == [
                .ok("the kernel makes bridges")
            ])
        #expect(!HostFiles().exists("/sys/class/net/vctl-trial"))
    }

    @Test func tapDevicesNeedADriverAndANode() throws {
        let misc = "234 btrfs-control\n200 tun\n237 loop-control\n"
        let tree = try HostTree(["/proc/misc": misc])
        #expect(TapFindings(kernel: kernel(tree)).notes()[0].message.contains("there is no /dev/net/tun"))
        try tree.write("/dev/net/tun", "")
        #expect(TapFindings(kernel: kernel(tree)).notes() == [.ok("the kernel makes TAP devices")])
        try tree.write("/proc/misc", "234 btrfs-control\n")
        #expect(TapFindings(kernel: kernel(tree)).notes()[0].status == .critical)
        let modular = try HostTree(modulesOfDebian.merging(["/dev/net/tun": ""]) { $1 })
        #expect(TapFindings(kernel: kernel(modular)).notes()[0].status == .ok)
    }

    @Test func vhostIsWantedButNotNeeded() throws {
        let tree = try HostTree()
        #expect(VhostFindings(kernel: kernel(tree)).notes()[0].hint == "modprobe vhost_net")
        try tree.write("/proc/misc", "238 vhost-net\n")
        #expect(VhostFindings(kernel: kernel(tree)).notes()[0].status == .ok)
        let modular = try HostTree(modulesOfDebian)
        #expect(VhostFindings(kernel: kernel(modular)).notes()[0].status == .ok)
    }

    // MARK: tools

    @Test func libvirtNeedsTheToolOfItsBackend() async throws {
        func notes(_ version: LibvirtVersion, _ tools: [String], _ files: [String: String] = [:]) async throws
            -> Note
        {
            let tree = try HostTree(files)
            return try await FirewallFindings(
                files: tree.files, libvirt: { version },
                locate: { tools.contains($0) ? Tool.locate($0) ?? "/bin/true" : nil }
            ).notes()[0]
        }
        #expect(try await notes(.init(9, 0), ["nft"]).hint == "apt-get install iptables")
        #expect(try await notes(.init(9, 0), ["iptables"]).status == .ok)
        #expect(try await notes(.init(11, 3), ["nft"]).status == .ok)
        #expect(try await notes(.init(11, 3), []).message.hasPrefix("nft or iptables is not installed"))
        let set = [
            "/etc/libvirt/network.conf": "#firewall_backend = \"iptables\"\nfirewall_backend = \"nftables\"\n"
        ]
        #expect(try await notes(.init(11, 3), ["iptables"], set).hint == "apt-get install nftables")
    }

    @Test func rulesOfBothKindsAreTold() async throws {
        let folder = try TemporaryFolder()
        let iptables = try folder.write("#!/bin/sh\necho 'iptables v1.8.9 (nf_tables)'\n", to: "iptables")
        chmod(iptables, 0o755)
        let tree = try HostTree()
        let check = FirewallFindings(files: tree.files, libvirt: { .init(9, 0) }, locate: { _ in iptables })
        #expect(try await check.notes()[0].message.contains("(iptables is nf_tables)"))
        try tree.write("/proc/net/ip_tables_names", "filter\n")
        #expect(try await check.notes()[0].message.contains("iptables-legacy are in force"))
    }

    // MARK: dnsmasq

    @Test func theKernelsLimitOfDnsmasqIsTold() async throws {
        let tree = try HostTree(["/proc/sys/fs/inotify/max_user_instances": "20\n"])
        func notes(_ count: Int, isReached: Bool = false) async throws -> [Note] {
            let served = try (0..<count).map { try network("n\($0)", "open") }
            let networks = served + [try NetworkXML(parsing: "<network><name>bare</name></network>")]
            let limit = InotifyLimit(files: tree.files, isReached: { isReached })
            return try await DnsmasqFindings(limit: limit, networks: { networks }).notes()
        }
        #expect(try await notes(4) == [.ok("the kernel lets 20 networks have a dnsmasq")])
        let near = try #require(try await notes(5).first)
        #expect(near.status == .warning && near.message.hasPrefix("5 networks have a dnsmasq"))
        #expect(near.hint == "sysctl -w fs.inotify.max_user_instances=1024")
        let reached = try #require(try await notes(1, isReached: true).first)
        #expect(reached.status == .critical && reached.message.contains("all of the 20 instances"))
        #expect(reached.hint == near.hint)
        let none = InotifyLimit(files: try HostTree().files, isReached: { false })
        #expect(try await DnsmasqFindings(limit: none, networks: { [] }).notes().map(\.status) == [.ok])
        #expect(InotifyLimit().most != nil, "of this machine")
    }

    // MARK: forwarding

    private func network(_ name: String, _ mode: String?, ipv6: Bool = false) throws -> NetworkXML {
        let forward = mode.map { "<forward mode='\($0)'/>" } ?? ""
        let second = ipv6 ? "<ip family='ipv6' address='fd00::1' prefix='64'/>" : ""
        let first = "<ip address='10.0.0.1' prefix='24'/>"
        return try NetworkXML(
            parsing: "<network><name>\(name)</name>\(forward)\(first)\(second)</network>")
    }

    @Test func forwardingIsMissedWhereANetworkNeedsIt() async throws {
        let tree = try HostTree([
            "/proc/sys/net/ipv4/ip_forward": "0\n", "/proc/sys/net/ipv6/conf/all/forwarding": "0\n",
        ])
        let networks = [
            try network("alone", nil), try network("nat", "nat"), try network("six", "open", ipv6: true),
        ]
        let four = ForwardingFindings(family: .ipv4, files: tree.files, networks: { networks })
        let six = ForwardingFindings(family: .ipv6, files: tree.files, networks: { networks })
        #expect(try await four.notes()[0].message.contains("the networks nat, six reach"))
        #expect(try await four.notes()[0].hint == "sysctl -w net.ipv4.ip_forward=1")
        #expect(try await six.notes()[0].message.contains("the networks six reach"))
        let alone = ForwardingFindings(family: .ipv4, files: tree.files, networks: { [networks[0]] })
        #expect(try await alone.notes()[0].status == .ok)
        try tree.write("/proc/sys/net/ipv4/ip_forward", "1\n")
        #expect(try await four.notes() == [.ok("the host forwards IPv4")])
        let none = ForwardingFindings(family: .ipv6, files: try HostTree().files, networks: { networks })
        #expect(try await none.notes() == [.ok("the kernel has no IPv6")])
    }

    @Test func aForwardingHostThatLivesOnAdvertisementsLosesItsRoute() async throws {
        let zeros = String(repeating: "0", count: 32)
        let router = "fe80000000000000020000fffe000001"
        let routes = """
            \(zeros) 00 \(zeros) 00 \(router) 00000400 00000003 00000000 00450003     eth0
            fd\(zeros.dropFirst(2)) 40 \(zeros) 00 \(zeros) 00000100 00000001 00000000 00040001     eth1
            \(zeros) 00 \(zeros) 00 \(zeros) ffffffff 00000001 00000000 00200200       lo

            """
        let tree = try HostTree([
            "/proc/sys/net/ipv6/conf/all/forwarding": "1\n", "/proc/net/ipv6_route": routes,
            "/proc/sys/net/ipv6/conf/eth0/accept_ra": "1\n", "/proc/sys/net/ipv6/conf/eth1/accept_ra": "1\n",
        ])
        let check = ForwardingFindings(family: .ipv6, files: tree.files, networks: { [] })
        #expect(try await check.notes().map(\.hint) == ["sysctl -w net.ipv6.conf.eth0.accept_ra=2"])
        try tree.write("/proc/sys/net/ipv6/conf/eth0/accept_ra", "2\n")
        #expect(try await check.notes() == [.ok("the host forwards IPv6")])
    }
}
