// SPDX-License-Identifier: Apache-2.0
import HostNet
import VctlAPI

extension BridgeService {
    /// Keeps the change that waits, or takes it back at once.
    /// - Returns: the bridge; where none is left, as it was.
    /// - Throws: ``Problem`` `bridge.notFound`, `bridge.state` where nothing waits, or the time is over.
    public func decide(_ reference: Reference, keep: Bool, _ context: RequestContext) async throws -> Bridge {
        let bridge = try await waiting(reference)
        let way = WayBack(path: environment.state.wayBack(bridge.id))
        if keep {
            guard way.confirm() || way.state == .confirmed else { throw GuardedChange.over(bridge.name) }
        } else {
            try await GuardedChange(environment, bridge).goBack()
        }
        try await BridgeSettling(environment: environment).settle(bridge, asked: true)
        try await environment.inventory.write { try $0.audit(context, target: bridge.name.rawValue) }
        let now = try await all()
        return now.first { $0.id == bridge.id } ?? now.first { $0.name == bridge.name.rawValue }
            ?? Bridge(name: bridge.name.rawValue, state: .missing)
    }

    /// What ``decide(_:keep:_:)`` would do.
    /// - Throws: as that does.
    public func preview(
        _ reference: Reference, keep: Bool, _ context: RequestContext
    ) async throws -> Preview {
        let name = try await waiting(reference).name
        let change =
            keep ? "keep the last change of bridge \(name)" : "take the last change of bridge \(name) back"
        return Preview(action: context.action, target: name.rawValue, changes: [change])
    }

    /// The bridge of which a change waits for somebody's word.
    private func waiting(_ reference: Reference) async throws -> KeptBridge {
        let row = try await environment.inventory.read { try KeptBridge.find($0, reference) }
        if let row, row.record.pending != nil, row.operation == nil { return row.record }
        let own = row?.record.name.rawValue
        let name = if let own { own } else { try Bridge.find(reference, among: try await all()).name }
        throw Problem(
            .bridgeState, "nothing of bridge \(shown(name)) waits to be confirmed",
            hint: "vctl bridge show \(shown(name))")
    }
}
