// SPDX-License-Identifier: Apache-2.0
import Libvirt
import VctlAPI

/// What must hold for a request about how a VM starts with the host.
enum StartRules {
    static func problems(_ request: VMCreate) -> [FieldProblem] {
        problems(request.autostart, order: request.autostartOrder, delay: request.autostartDelaySeconds)
    }

    static func problems(_ patch: VMPatch) -> [FieldProblem] {
        problems(
            patch.autostart, order: patch.autostartOrder?.value, delay: patch.autostartDelaySeconds?.value)
    }

    private static func problems(_ autostart: Bool?, order: Int?, delay: Int?) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        for (field, number, range) in [
            ("autostartOrder", order, Limits.autostartOrder),
            ("autostartDelaySeconds", delay, Limits.autostartDelaySeconds),
        ] {
            guard let number else { continue }
            if autostart == false {
                problems.append(FieldProblem(field, "this goes with autostart, which is to be off"))
            } else if !range.contains(number) {
                problems.append(FieldProblem(field, "from \(range.lowerBound) to \(range.upperBound)"))
            }
        }
        return problems
    }

    /// What a dry run says.
    static func sentences(_ patch: VMPatch) -> [String] {
        var changes: [String] = []
        if let autostart = patch.autostart { changes.append("autostart \(autostart ? "on" : "off")") }
        if let order = patch.autostartOrder {
            changes.append(order.value.map { "autostart at place \($0)" } ?? "autostart without an order")
        }
        if let delay = patch.autostartDelaySeconds {
            changes.append(
                delay.value.map { "wait \($0) s after its autostart" } ?? "no wait after its autostart")
        }
        if let action = patch.onCrash { changes.append("\(action.rawValue) it when it crashes") }
        return changes
    }
}

extension VMPatch {
    /// Whether it asks for something that the mark alone holds, autostart aside.
    var changesMark: Bool { labels != nil || protected != nil || onCrash != nil }
}

extension DomainEffects {
    /// libvirt starts all that has its flag at once, when it starts itself. What has an order or a delay is
    /// ours to start, and so must not have the flag. The mark is written first: with both libvirt starts it
    /// too soon, with neither nobody does.
    func setAutostart(_ patch: VMPatch, of domain: Domain) async throws {
        guard patch.autostart != nil || patch.autostartOrder != nil || patch.autostartDelaySeconds != nil
        else { return }
        let text = try await domain.metadata(uri: Mark.namespace, .config)
        let old = text.flatMap { Mark(metadata: $0) }?.start
        let starts = try await domain.autostart() || old != nil
        var rule = Mark.StartRule(
            order: patch.autostartOrder.map(\.value) ?? old?.order,
            delay: patch.autostartDelaySeconds.map(\.value) ?? old?.delay)
        if patch.autostart == false { rule = nil }
        try await changeMark(of: domain) { $0.start = rule }
        try await domain.setAutostart(rule == nil && patch.autostart ?? starts)
    }
}
