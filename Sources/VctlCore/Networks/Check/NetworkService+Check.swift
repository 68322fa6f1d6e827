// SPDX-License-Identifier: Apache-2.0
import GRDB
import HostNet
import Libvirt
import VctlAPI
import VirtXML

extension NetworkService {
    /// Sends packets from probes on the network, and compares what arrives with what the model promises.
    /// Nothing is changed, and nothing is left.
    /// - Throws: ``Problem`` `network.notFound`, `network.noCheck` where nobody can be on it as a guest is.
    public func check(_ reference: Reference, _ context: RequestContext) async throws -> Rendered {
        let (_, network) = try await current(reference, context)
        guard let bridge = network.bridge, environment.firewall.isReal else { throw Self.noCheck(network) }
        try await inventory.write { try $0.audit(context, target: network.name) }
        let report = try await Self.checks.alone(environment.state.instance) {
            try await self.report(network, bridge)
        }
        return Rendered(json: try JSON.text(report))
    }

    /// Removes what a daemon that died has left of probes, where the kernel has not done so.
    static func sweepProbes(_ environment: VMEnvironment) async {
        guard environment.firewall.isReal else { return }
        let cable = environment.state.cable
        try? await Blocking.run { try CheckProbes.removeRests(cable) }
    }

    /// What stands in the way of networks that run, as far as it can be seen without a probe.
    static func standing(_ environment: VMEnvironment) async throws -> [NetworkCause] {
        let networks = try await environment.inventory.read {
            try NetworkStore.all($0).map { try $0.value() }
        }
        let files = HostFiles()
        let rulesets = try await Ruleset.inForce(KernelParts(files: files))
        var causes: [NetworkCause] = []
        for network in networks where network.state == .running && environment.firewall.isReal {
            guard let bridge = network.bridge else { continue }
            let all = NetworkCauses(
                network: network, bridge: bridge, files: files, rulesets: rulesets,
                areRulesIntact: await environment.firewall.isIntact(for: network)
            ).standing()
            for cause in all where !causes.contains(cause) { causes.append(cause) }
        }
        return causes
    }

    /// One at a time: their cables have the same names.
    private static let checks = Turns()

    private static func noCheck(_ network: Network) -> Problem {
        let why =
            network.bridge == nil
            ? "guests on network \(shown(network.name)) are on no bridge of the host (\(network.mode))"
            : "the networks of this libvirt are made up, or vctld does not run as root"
        return Problem(
            .networkNoCheck, "\(why): no probe can be put there",
            hint: "vctl network show \(shown(network.name))")
    }

    private func report(_ network: Network, _ bridge: String) async throws -> NetworkCheck {
        let planner = CheckPlanner(
            network: network, files: HostFiles(), taken: try await taken(network),
            isIPv6Translated: try await isIPv6Translated(network))
        let families = planner.families()
        var report = NetworkCheck(
            network: network.name, networkID: network.id, model: network.model, checkedAt: .now)
        guard network.state == .running else {
            report.paths = families.flatMap { $0.paths() }
            return Self.stopped(report, network)
        }
        let state = environment.state
        let plan = CheckPlan(
            bridge: bridge, cable: state.cable, alias: "vctl:\(state.instance):\(ObjectID())",
            families: families)
        do {
            let outcome = try await CheckOutcome.seen(plan)
            (report.paths, report.notes) = (outcome.paths, outcome.notes)
        } catch let error as HostNetError {
            throw Problem(hostNet: error)
        }
        let causes = NetworkCauses(
            network: network, bridge: bridge, files: HostFiles(),
            rulesets: try await Ruleset.inForce(KernelParts(files: HostFiles())),
            areRulesIntact: await environment.firewall.isIntact(for: network))
        let guest = report.paths.first { $0.isInside && $0.family == .ipv4 }?.expectedSource
        return report.judged { causes.causes(of: $0, guest: $0.family == .ipv4 ? guest : nil) }
    }

    private static func stopped(_ report: NetworkCheck, _ network: Network) -> NetworkCheck {
        let name = shown(network.name)
        let cause = NetworkCause(
            code: "network.stopped", message: "network \(name) does not run",
            hint: network.managed ? "vctl network start \(name)" : "virsh net-start \(name)")
        var report = report.judged { _ in [cause] }
        for index in report.paths.indices { report.paths[index].causes = [cause.code] }
        (report.verdict, report.causes) = (.differs, [cause])
        return report
    }

    /// Addresses that somebody has, or that are kept for somebody.
    private func taken(_ network: Network) async throws -> Set<IPAddress> {
        var taken = Set(network.hostAddresses)
        do {
            let handle = try await effects.existing(network.id)
            let xml = try NetworkXML(parsing: try await handle.xml())
            taken.formUnion(xml.reservations([:]).map(\.address))
            taken.formUnion(try await Self.leases(of: handle).compactMap { IPAddress($0.address) })
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
        let sql = """
            SELECT DISTINCT a.value ->> '$.address' FROM vm, json_each(document, '$.nics') n,
                json_each(n.value, '$.addresses') a
            """
        let known = try await inventory.read { try String.fetchAll($0, sql: sql) }
        taken.formUnion(known.compactMap { IPAddress($0) })
        let seen = HostFiles().lines("/proc/net/arp").dropFirst().compactMap { line in
            line.split(separator: " ").first.flatMap { IPAddress(String($0)) }
        }
        return taken.union(seen)
    }

    private func isIPv6Translated(_ network: Network) async throws -> Bool {
        do {
            let xml = try NetworkXML(parsing: try await effects.existing(network.id).xml())
            return xml.natsIPv6 ?? false
        } catch let error as LibvirtError {
            throw Problem(libvirt: error)
        }
    }
}

extension NetworkCheck {
    /// With a verdict about each path and the whole.
    /// - Parameter causes: why a path may differ.
    func judged(_ causes: (NetworkPath) -> [NetworkCause]) -> NetworkCheck {
        var report = self
        report.causes = []
        for index in report.paths.indices {
            report.paths[index].verdict = report.paths[index].judgement
            guard report.paths[index].verdict == .differs else { continue }
            let found = causes(report.paths[index])
            for cause in found where !report.causes.contains(cause) { report.causes.append(cause) }
            report.paths[index].causes = found.map(\.code)
        }
        let verdicts = report.paths.map(\.verdict)
        report.verdict = verdicts.contains(.differs) ? .differs : verdicts.contains(.ok) ? .ok : .unproven
        return report
    }
}

extension NetworkPath {
    fileprivate var judgement: NetworkVerdict {
        guard let expected, let seen else { return .unproven }
        guard expected == seen else { return .differs }
        guard let expectedSource, seen == .reached else { return .ok }
        return source == expectedSource ? .ok : .differs
    }
}

extension StateDirectory {
    /// What the cables of this instance's probes are called, with a digit behind it: nobody else gives that.
    var cable: String { "vk\(instance.short)-" }
}
