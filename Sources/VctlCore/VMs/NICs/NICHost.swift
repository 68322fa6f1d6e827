// SPDX-License-Identifier: Apache-2.0
import Foundation
import Libvirt
import VctlAPI
import VirtXML

/// The links of the host, as sysfs shows them.
struct LinkFiles: Sendable {
    /// Where the kernel lists them.
    var folder = "/sys/class/net"

    func isBridge(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/\(name)/bridge")
    }

    /// Whether a bridge tells VLANs apart.
    func isVLANAware(_ name: String) -> Bool {
        let file = FileManager.default.contents(atPath: "\(folder)/\(name)/bridge/vlan_filtering")
        return file.map { String(decoding: $0, as: UTF8.self).hasPrefix("1") } ?? false
    }
}

/// Whether the host can give a NIC what is asked for. libvirt itself would say so only when the VM starts, or
/// half-way through a change.
struct NICHost: Sendable {
    let connection: Connection
    let caller: Caller
    /// libvirt's.
    let uri: String
    let inventory: Inventory
    var links = LinkFiles()

    /// Checks what is asked for.
    /// - Parameters:
    ///   - nic: as it would be.
    ///   - part: what is in the mark of what it may send and receive.
    ///   - field: where a field of it is in the request.
    /// - Throws: ``Problem`` `request.invalid` or `permission.denied`.
    func check(
        _ setting: NICSetting, _ nic: InterfaceXML, _ part: Mark.NIC, field: (String) -> String
    ) async throws {
        if let bridge = setting.bridge { try check(bridge: bridge, field("bridge")) }
        let moves = setting.network != nil || setting.bridge != nil
        if !nic.vlanTags.isEmpty, setting.vlan != nil || moves { try await checkVLAN(nic, field("vlan")) }
        if part.isGuarded {
            let field = field(part.antiSpoofing ? "antiSpoofing" : "securityGroups")
            try NICGuard.refuseImpossible(uri, field: field)
            try await checkBridge(nic, field)
        }
        if !part.groups.isEmpty { try await check(part.groups, field("securityGroups")) }
        let rates = [("inbound", setting.inbound), ("outbound", setting.outbound)]
        for (name, rate) in rates where rate.map({ $0.average != 0 }) ?? false {
            try await checkRate(name, field(name))
        }
    }

    private func check(bridge: String, _ field: String) throws {
        guard caller.role == .admin else {
            throw Problem(
                .permissionDenied, "\(field): only an admin may put a VM on a bridge of the host",
                hint: "name a network instead")
        }
        guard links.isBridge(bridge) else {
            throw Self.refusal(field, "the host has no bridge \(shown(bridge))", "ip link show type bridge")
        }
    }

    /// Open vSwitch and devices of the host tag by themselves; libvirt learnt to ask Linux's bridges for it
    /// with 11.0.
    private func checkVLAN(_ nic: InterfaceXML, _ field: String) async throws {
        if nic.virtualportType == "openvswitch" { return }
        var bridge = nic.sourceBridge
        var place = "bridge \(shown(bridge ?? "?"))"
        if let name = nic.sourceNetwork {
            let network = try NetworkXML(parsing: try await connection.network(name: name).xml())
            let group = network.portgroups.first {
                nic.sourcePortgroup == nil ? $0.isDefault == true : $0.name == nic.sourcePortgroup
            }
            if [network.virtualportType, group?.virtualportType].contains("openvswitch") { return }
            if ["hostdev", "passthrough"].contains(network.forwardMode) { return }
            (bridge, place) = (network.bridge, "network \(shown(name))")
        }
        guard let bridge, links.isVLANAware(bridge) else {
            throw Self.refusal(
                field,
                "\(place) cannot tell VLANs apart: its bridge is neither VLAN-aware nor Open vSwitch's",
                "put the NIC on a VLAN-aware bridge, or leave out its VLAN")
        }
        let version = try await connection.libraryVersion()
        guard version >= LibvirtVersion(11, 0) else {
            throw Self.refusal(
                field,
                "\(place) is VLAN-aware, but libvirt \(version) gives tags only to ports of Open vSwitch;"
                    + " from 11.0 on it does so on Linux's bridges",
                "vctl host doctor")
        }
    }

    /// What a guest sends is looked at where it enters a bridge of Linux; Open vSwitch and devices of the
    /// host pass it on by themselves.
    private func checkBridge(_ nic: InterfaceXML, _ field: String) async throws {
        var bridge = nic.virtualportType == nil ? nic.sourceBridge : nil
        if let name = nic.sourceNetwork {
            let network = try NetworkXML(parsing: try await connection.network(name: name).xml())
            let isTapped = ["nat", "route", "open", "bridge", nil].contains(network.forwardMode)
            bridge = isTapped && network.virtualportType == nil ? network.bridge : nil
        }
        guard bridge == nil else { return }
        throw Self.refusal(
            field, "what it sends passes no bridge of Linux, where it could be looked at",
            "put it on a network with a bridge of its own, or leave this out")
    }

    private func check(_ groups: [String], _ field: String) async throws {
        try await inventory.read { db in
            for name in groups { _ = try SecurityGroupStore.get(db, .name(name)) }
        }
        guard !uri.hasPrefix("test:"), let reason = try await ConntrackTrial().problem() else { return }
        throw Self.refusal(
            field,
            "this host's kernel does not follow flows on bridges, by which answers are known: \(reason)",
            "modprobe nf_conntrack_bridge, or apt-get install linux-image-amd64 and boot that kernel")
    }

    private func checkRate(_ name: String, _ field: String) async throws {
        guard let reason = try await BandwidthTrial(isInbound: name == "inbound").problem() else { return }
        throw Self.refusal(
            field, "this host's kernel cannot limit it, and a VM with such a NIC would not start: \(reason)",
            "apt-get install linux-image-amd64, and boot that kernel; it has sch_htb, sch_sfq, sch_ingress,"
                + " cls_fw, cls_u32 and act_police")
    }

    static func refusal(_ field: String, _ reason: String, _ hint: String) -> Problem {
        Problem(
            .requestInvalid, "\(field): \(reason)", hint: hint, errors: [FieldProblem(field, reason)])
    }
}

/// Tries what libvirt does for a limit, on the loopback link of a network namespace that ends with the trial.
struct BandwidthTrial: Sendable {
    /// What the guest receives is shaped; what it sends is dropped above its rate.
    let isInbound: Bool

    private var commands: String {
        guard isInbound else {
            return """
                qdisc add dev lo ingress
                filter add dev lo parent ffff: protocol all u32 match u32 0 0 police rate 1000kbps \
                burst 64kb mtu 64kb drop flowid :1

                """
        }
        return """
            qdisc add dev lo root handle 1: htb default 1
            class add dev lo parent 1: classid 1:1 htb rate 1000kbps quantum 87
            qdisc add dev lo parent 1:1 handle 2: sfq perturb 10
            filter add dev lo parent 1:0 prio 1 handle 1 fw flowid 1

            """
    }

    /// Why it does not work; `nil`: it does, or only root could find out.
    func problem() async throws -> String? {
        guard geteuid() == 0 else { return nil }
        let file = FileManager.default.temporaryDirectory.path + "/vctl-tc-\(ObjectID().short)"
        try DurableFile.write(Array(commands.utf8), to: file, mode: 0o600)
        defer { unlink(file) }
        let trial = Tool("unshare", ["--net", "--", "tc", "-batch", file], deadline: .seconds(10))
        let answer = try await trial.answer()
        guard answer.status != 0 else { return nil }
        let words = answer.errors.split(separator: "\n").map(String.init)
        let reason = words.first { $0.hasPrefix("Error: ") }.map { $0.dropFirst("Error: ".count) }
        return String(reason ?? Substring(words.last ?? "tc ended with status \(answer.status)"))
    }
}
