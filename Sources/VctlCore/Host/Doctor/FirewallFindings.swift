// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt

/// By what libvirt and others make rules for packets.
struct FirewallFindings: HostCheck {
    let name = "network.firewall"
    let files: HostFiles
    let libvirt: @Sendable () async throws -> LibvirtVersion
    var locate: @Sendable (String) -> String? = { Tool.locate($0) }

    /// Before this it knew iptables only.
    private static let choice = LibvirtVersion(10, 4)

    func notes() async throws -> [Note] {
        let missing = Self.missing(for: backend(try await libvirt()), locate)
        guard missing.isEmpty else { return missing }
        let kind = try await kindOfIptables()
        let hasLegacy = !files.words("/proc/net/ip_tables_names").isEmpty
        guard kind != "nf_tables" || !hasLegacy else {
            return [
                .warning(
                    "rules of iptables-legacy are in force beside those of nftables: what one lets through,"
                        + " the other may drop",
                    "iptables-legacy-save shows them; update-alternatives --config iptables chooses one kind")
            ]
        }
        let tools = ["iptables", "nft"].filter { locate($0) != nil }
        let which = kind.map { " (iptables is \($0))" } ?? ""
        return [.ok("libvirt has what it makes rules with: \(tools.joined(separator: ", "))\(which)")]
    }

    /// What libvirt's networks want: one tool, or either.
    private func backend(_ version: LibvirtVersion) -> [String] {
        guard version >= Self.choice else { return ["iptables"] }
        let line = files.lines("/etc/libvirt/network.conf").last { $0.hasPrefix("firewall_backend") }
        switch line?.split(separator: "\"").dropFirst().first {
        case "nftables": return ["nft"]
        case "iptables": return ["iptables"]
        default: return ["nft", "iptables"]
        }
    }

    private static func missing(for tools: [String], _ locate: (String) -> String?) -> [Note] {
        guard tools.allSatisfy({ locate($0) == nil }) else { return [] }
        return [
            .critical(
                "\(tools.joined(separator: " or ")) is not installed: libvirt's networks do not start",
                "apt-get install \(tools[0] == "nft" ? "nftables" : "iptables")")
        ]
    }

    /// `nf_tables` or `legacy`, from `iptables v1.8.9 (nf_tables)`.
    private func kindOfIptables() async throws -> String? {
        guard let path = locate("iptables") else { return nil }
        let words = try await Tool(path, ["--version"]).answer().output
        guard let open = words.lastIndex(of: "("), let close = words.lastIndex(of: ")"), open < close else {
            return nil
        }
        return String(words[words.index(after: open)..<close])
    }
}

/// Whether somebody's rules drop what VMs send through the host: Docker's do, unless they are told otherwise.
struct ForwardPolicyFindings: HostCheck {
    let name = "network.forwardPolicy"
    let kernel: KernelParts

    func notes() async throws -> [Note] {
        let bridges = VMBridges(files: kernel.files).forwarded()
        let found = try await Ruleset.inForce(kernel).flatMap { notes($0, bridges) }
        guard found.isEmpty else { return found }
        return [.ok("nothing drops what VMs send through the host")]
    }

    /// One note for each chain that drops what a bridge of VMs needs.
    func notes(_ rules: Ruleset, _ bridges: [String]) -> [Note] {
        let hasIPv6 = kernel.files.text("/proc/sys/net/ipv6/conf/all/forwarding") == "1"
        return rules.forwardChains.filter { $0.drops && ($0.family != "ip6" || hasIPv6) }.compactMap {
            chain in
            let cut = bridges.filter { !rules.knows($0, in: chain) }
            guard !cut.isEmpty else { return nil }
            return .warning(
                "\(rules.owner(of: chain)) lets the host forward nothing that no rule allows: what VMs on"
                    + " \(cut.joined(separator: ", ")) send to others is dropped",
                rules.remedy(chain, cut))
        }
    }
}

/// The bridges that VMs may be on.
struct VMBridges: Sendable {
    let files: HostFiles

    /// Those whose packets the IP filter sees, sorted.
    func forwarded() -> [String] {
        // With this set the filter also sees what stays inside a bridge.
        let seesAll = files.text("/proc/sys/net/bridge/bridge-nf-call-iptables") == "1"
        return files.names("/sys/class/net").filter { name in
            files.exists("/sys/class/net/\(name)/bridge") && !isOfContainers(name)
                && (seesAll || !hasUplink(name))
        }
    }

    /// Docker's, Podman's and LXD's manage themselves.
    private func isOfContainers(_ name: String) -> Bool {
        if ["docker", "podman", "cni", "lxdbr", "lxcbr", "incusbr"].contains(where: name.hasPrefix) {
            return true
        }
        return name.hasPrefix("br-") && name.utf8.count == 15 && name.dropFirst(3).allSatisfy(\.isHexDigit)
    }

    /// Whether a NIC of the host is in it, so that its VMs are in the host's own network.
    private func hasUplink(_ name: String) -> Bool {
        files.names("/sys/class/net/\(name)/brif").contains { files.exists("/sys/class/net/\($0)/device") }
    }
}
