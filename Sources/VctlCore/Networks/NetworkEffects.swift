// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostNet
import Libvirt
import VctlAPI
import VirtXML

/// What operations do to networks. Each looks first, so that it may run twice.
struct NetworkEffects: Sendable {
    let environment: VMEnvironment

    /// The network, whoever made it.
    /// - Throws: ``Problem`` `network.notFound`.
    func existing(_ id: ObjectID) async throws -> LibvirtNetwork {
        if let network = try await environment.hypervisor.network(id) { return network }
        throw Problem(
            .networkNotFound, "libvirt has no network \(id) any more", hint: "vctl network list")
    }

    /// Our network of that id, or `nil`.
    /// - Throws: ``Problem`` `network.foreign` when the network of that id is not ours.
    func ours(_ id: ObjectID) async throws -> LibvirtNetwork? {
        guard let network = try await environment.hypervisor.network(id) else { return nil }
        let mark = Mark(in: try NetworkXML(parsing: try await network.xml(inactive: true)))
        guard Ownership(mark, instance: environment.state.instance, id: id).mark != nil else {
            throw Problem(
                .networkForeign, "the network \(id) does not bear this vctl's mark",
                hint: "virsh net-info \(id)")
        }
        return network
    }

    func define(_ plan: NetworkPlan, autostart: Bool) async throws {
        let connection = try environment.hypervisor.managed.connection()
        let network: LibvirtNetwork
        if let known = try await ours(plan.id) {
            network = known
        } else {
            network = try await connection.define(network: plan.networkXML().xml)
        }
        if autostart { try await network.setAutostart(true) }
    }

    func undefine(_ id: ObjectID, _ name: String) async throws {
        let dnsmasq = DnsmasqFile(name)
        guard let network = try await ours(id) else { return try await forget(dnsmasq, of: name) }
        if try await network.isActive() { try await network.destroy() }
        do {
            try await network.undefine()
        } catch let error as LibvirtError where error.code == .noNetwork {
        }
        try await forget(dnsmasq, of: name)
    }

    private func forget(_ dnsmasq: DnsmasqFile, of name: String) async throws {
        guard environment.firewall.isReal else { return }
        do {
            _ = try await environment.hypervisor.connection().network(name: name)
        } catch let error as LibvirtError where error.code == .noNetwork {
            dnsmasq.removeIfDead()
        }
    }

    /// Starts it, behind its rules.
    func start(_ id: ObjectID) async throws {
        try await environment.firewall.ensure()
        let network = try await existing(id)
        if try await network.isActive() { return }
        do {
            try await network.start()
        } catch let error as LibvirtError where error.code == .operationInvalid {
            guard try await network.isActive() else { throw error }
        } catch let error as LibvirtError where !error.isOfTransport && InotifyLimit().isReached() {
            let xml = try NetworkXML(parsing: try await network.xml(inactive: true))
            throw xml.ips.isEmpty ? error : Self.noDnsmasq(network.name, error)
        }
        // What is set at its bridge, which is there only now.
        try await environment.firewall.ensure()
    }

    /// What libvirt says of it is the last line that dnsmasq has written, or another reason altogether.
    private static func noDnsmasq(_ name: String, _ error: LibvirtError, _ limit: InotifyLimit = .init())
        -> Problem
    {
        Problem(
            .libvirtFailed,
            "network \(shown(name)) does not start: \(error.message); and root has all of the"
                + " \(limit.most ?? 0) instances of inotify that the kernel lets it have, one of which"
                + " dnsmasq needs (\(InotifyLimit.key))",
            hint: limit.remedy, libvirt: Problem(libvirt: error).libvirt)
    }

    /// Stops it; that it is off, or gone, is as good.
    func stop(_ id: ObjectID) async throws {
        guard let network = try await environment.hypervisor.network(id), try await network.isActive() else {
            return
        }
        do {
            try await network.destroy()
        } catch let error as LibvirtError where error.code == .operationInvalid || error.code == .noNetwork {
            if try await environment.hypervisor.network(id)?.isActive() ?? false { throw error }
        }
    }

    /// Makes `xml` the saved definition.
    func redefine(_ id: ObjectID, _ xml: String) async throws {
        let network = try await existing(id)
        guard try await network.xml(inactive: true) != xml else { return }
        _ = try await environment.hypervisor.managed.connection().define(network: xml, validate: false)
    }

    /// Brings what only a start brings into force, with the guests that are on the network. It may have been
    /// stopped for that already.
    func restart(_ id: ObjectID) async throws {
        let network = try await existing(id)
        if try await network.isActive() {
            let live = try NetworkXML(parsing: try await network.xml())
            let saved = try NetworkXML(parsing: try await network.xml(inactive: true))
            if live.domain != saved.domain || live.mtu != saved.mtu
                || DHCPOptions.values(live) != DHCPOptions.values(saved)
            {
                try await network.destroy()
            }
        }
        try await start(id)
        try await attachGuests(to: network.name)
    }

    /// Puts the TAPs of running guests into the bridge again, which was made anew.
    func attachGuests(to name: String) async throws {
        for (_, domain) in try await domains() {
            for nic in domain.active?.interfaces ?? []
            where nic.type == "network" && nic.sourceNetwork == name {
                guard let bridge = nic.sourceBridge, let tap = nic.targetDev else { continue }
                do { try BridgePort.attach(tap, to: bridge) } catch let error as HostNetError
                    where error.errno == ENODEV
                {
                    // Its guest has ended meanwhile.
                    continue
                }
                if nic.isolated == true { HostSwitch.isolate(tap) }
            }
        }
    }

    /// The VMs that have a NIC on a network.
    /// - Parameter running: only those that have it now.
    func users(of name: String, running: Bool) async throws -> [String] {
        try await domains().filter { _, domain in
            let xmls = running ? [domain.active] : [domain.active, domain.saved]
            return xmls.compactMap { $0 }.contains { xml in
                xml.interfaces.contains { $0.type == "network" && $0.sourceNetwork == name }
            }
        }.map(\.0).sorted()
    }

    private func domains() async throws -> [(String, (active: DomainXML?, saved: DomainXML?))] {
        try await environment.hypervisor.connection().domainRecords().map { record in
            let parse = { (text: String?) in text.flatMap { try? DomainXML(parsing: $0) } }
            return (record.name, (parse(record.activeXML), parse(record.inactiveXML)))
        }
    }
}
