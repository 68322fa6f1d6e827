// SPDX-License-Identifier: Apache-2.0
import VctlAPI

/// What must hold for a request about a NIC by itself.
enum NICRules {
    /// - Parameters:
    ///   - cpus: those that the VM has or may get; `nil`: nothing is known of it.
    ///   - field: where a field of the NIC is in the request.
    static func problems(_ nic: NICSpec, cpus: Int?, field: (String) -> String) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        if (nic.network == nil) == (nic.bridge == nil) {
            problems.append(FieldProblem(field("network"), "say what it is on: a network or a bridge"))
        }
        if let model = nic.model { problems += Self.model(model, field) }
        if let queues = nic.queues {
            problems += Self.queues(queues, model: nic.model ?? "virtio", cpus: cpus, field)
        }
        if let boot = nic.boot { problems += place(boot, field) }
        problems += rate(nic.inbound, "inbound", field) + rate(nic.outbound, "outbound", field)
        return problems + addresses(nic.ip, field)
    }

    /// What depends on the VM is found with its definition.
    static func problems(_ patch: VMNICPatch) -> [FieldProblem] {
        let field = { (name: String) in name }
        var problems: [FieldProblem] = []
        if patch == VMNICPatch() {
            problems.append(FieldProblem("link", "nothing to change is given"))
        }
        if patch.network != nil, patch.bridge != nil {
            problems.append(FieldProblem("bridge", "it can be on a network or on a bridge, not on both"))
        }
        if let model = patch.model { problems += Self.model(model, field) }
        if let queues = patch.queues?.value {
            problems += Self.queues(queues, model: patch.model ?? "virtio", cpus: nil, field)
        }
        if let boot = patch.boot?.value { problems += place(boot, field) }
        return problems + rate(patch.inbound?.value, "inbound", field)
            + rate(patch.outbound?.value, "outbound", field) + addresses(patch.ip?.value, field)
    }

    private static func addresses(_ list: [IPAddress]?, _ field: (String) -> String) -> [FieldProblem] {
        guard let list else { return [] }
        if list.isEmpty || list.count > Limits.nicAddresses {
            return [FieldProblem(field("ip"), "from 1 to \(Limits.nicAddresses) addresses")]
        }
        let strange = list.first { !$0.isOfAHost }
        return strange.map { [FieldProblem(field("ip"), "\($0) is no address of a single host")] } ?? []
    }

    private static func model(_ model: String, _ field: (String) -> String) -> [FieldProblem] {
        if Limits.nicModels.contains(model) { return [] }
        return [FieldProblem(field("model"), "virtio, e1000, e1000e or rtl8139")]
    }

    static func queues(_ queues: Int, model: String, cpus: Int?, _ field: (String) -> String)
        -> [FieldProblem]
    {
        var problems: [FieldProblem] = []
        if !Limits.nicQueues.contains(queues) {
            problems.append(FieldProblem(field("queues"), "from 1 to \(Limits.nicQueues.upperBound)"))
        }
        if model != "virtio" {
            problems.append(FieldProblem(field("queues"), "only a NIC of model virtio has queues"))
        }
        if let cpus, queues > cpus {
            problems.append(FieldProblem(field("queues"), "at most as many as CPUs, which are \(cpus)"))
        }
        return problems
    }

    private static func place(_ place: Int, _ field: (String) -> String) -> [FieldProblem] {
        if Limits.nicBoot.contains(place) { return [] }
        return [FieldProblem(field("boot"), "a place from 1 to \(Limits.nicBoot.upperBound)")]
    }

    private static func rate(_ rate: RateLimit?, _ name: String, _ field: (String) -> String)
        -> [FieldProblem]
    {
        guard let rate else { return [] }
        var problems: [FieldProblem] = []
        if let peak = rate.peakBitsPerSecond, peak.number < rate.averageBitsPerSecond.number {
            problems.append(FieldProblem(field("\(name).peakBitsPerSecond"), "at least the average"))
        }
        if let burst = rate.burstBytes?.bytes, !Limits.burstBytes.contains(burst) || burst % 1024 != 0 {
            problems.append(FieldProblem(field("\(name).burstBytes"), "from 1 KiB to 1 GiB, in whole KiB"))
        }
        return problems
    }
}

extension IPAddress {
    /// Whether one host can have it: it is not unspecified, a group, or everybody.
    fileprivate var isOfAHost: Bool {
        switch family {
        case .ipv4: number >> 28 < 0xE && number != 0
        case .ipv6: number >> 120 != 0xFF && number != 0
        }
    }
}
